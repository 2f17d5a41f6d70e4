"""eSpeak NG (GPL-3, a program of its own): a formant synthesizer, many accents and voice variants."""

from __future__ import annotations

from pathlib import Path

from edge_asr.arrays import Float32Array
from export.synthesize.program import find_program, spoken_by

_ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp")
_VARIANTS = tuple(f"{kind}{number}" for kind, last in (("f", 4), ("m", 7)) for number in range(1, last + 1))
_WORDS_PER_MINUTE = 165


class Espeak:
    """The program ``espeak-ng``; a voice is an accent with one of its variants."""

    blends = False
    voices = tuple(sorted(f"{accent}+{variant}" for accent in _ACCENTS for variant in _VARIANTS))

    def __init__(self, model: Path | None) -> None:
        self._program = find_program("espeak-ng", "espeak-ng")

    def speak(self, text: str, voice: str, speed: float) -> tuple[Float32Array, int]:
        """See :class:`~export.synthesize.engine.Engine`."""
        manner = ["-v", voice, "-s", str(round(_WORDS_PER_MINUTE * speed))]
        return spoken_by(
            lambda source, out: [self._program, *manner, "-f", str(source), "-w", str(out)], text
        )
