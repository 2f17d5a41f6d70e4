"""Festival (CSTR, University of Edinburgh; free, MIT-like): every voice that is installed."""

from __future__ import annotations

import subprocess
from functools import cached_property
from pathlib import Path

from edge_asr.arrays import Float32Array
from export.synthesize.program import find_program, spoken_by


class Festival:
    """The programs ``festival`` and ``text2wave``; voices are Debian packages ``festvox-*``."""

    blends = False

    def __init__(self, model: Path | None) -> None:
        self._program = find_program("text2wave", "festival festvox-kallpc16k")
        self._list = find_program("festival", "festival")

    @cached_property
    def voices(self) -> tuple[str, ...]:
        """Voices that are installed, whichever their language."""
        arguments = [self._list, "--batch", "(print (voice.list))"]
        listed = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
        return tuple(sorted(listed.strip("() \n").split()))

    def speak(self, text: str, voice: str, speed: float) -> tuple[Float32Array, int]:
        """See :class:`~export.synthesize.engine.Engine`."""
        # HTS voices have a rate of their own; to the others it means nothing.
        manner = (
            f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {1 / speed:.4f})"
            f"(if (boundp 'hts_engine_params)"
            f'(set! hts_engine_params (cons \'("-r" {speed:.4f}) hts_engine_params))))'
        )
        return spoken_by(
            lambda source, out: [self._program, "-o", str(out), "-eval", manner, str(source)], text
        )
