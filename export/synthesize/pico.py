"""SVOX Pico (Apache-2.0; Debian has it in non-free, Android brought it): two small statistical voices."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from edge_asr.arrays import Float32Array
from export.synthesize.program import find_program, spoken_by

_LANGUAGES = ("en-GB", "en-US")
_PITCHES = range(60, 161, 10)
"""Per cent of the voice's own."""


class Pico:
    """The program ``pico2wave``; a voice is a language, ``+``, and the pitch in per cent."""

    blends = False
    voices = tuple(sorted(f"{language}+{pitch}" for language in _LANGUAGES for pitch in _PITCHES))

    def __init__(self, model: Path | None) -> None:
        self._program = find_program("pico2wave", "libttspico-utils")

    def speak(self, text: str, voice: str, speed: float) -> tuple[Float32Array, int]:
        """See :class:`~export.synthesize.engine.Engine`."""
        language, _, pitch = voice.partition("+")
        # Its tags take whole per cents, and no text within them is read as a flag.
        said = f'<speed level="{round(100 * speed)}"><pitch level="{pitch}">{escape(text)}</pitch></speed>'
        return spoken_by(lambda _, out: [self._program, "-l", language, "-w", str(out), said], text)
