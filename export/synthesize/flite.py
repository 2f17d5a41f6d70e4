"""CMU Flite (BSD-style): small, quick, a handful of voices."""

from __future__ import annotations

import subprocess
from functools import cached_property
from pathlib import Path

from edge_asr.arrays import Float32Array
from export.synthesize.program import find_program, spoken_by

_NARROW = {"kal", "awb_time"}
"""One speaks at 8 kHz, the other only tells the time."""


class Flite:
    """The program ``flite``; it needs no model of ours."""

    blends = False

    def __init__(self, model: Path | None) -> None:
        self._program = find_program("flite", "flite")

    @cached_property
    def voices(self) -> tuple[str, ...]:
        """Voices compiled in."""
        listed = subprocess.run([self._program, "-lv"], check=True, capture_output=True, text=True).stdout
        return tuple(sorted(set(listed.partition(":")[2].split()) - _NARROW))

    def speak(self, text: str, voice: str, speed: float) -> tuple[Float32Array, int]:
        """See :class:`~export.synthesize.engine.Engine`."""
        manner = ["-voice", voice, "--setf", f"duration_stretch={1 / speed:.4f}"]
        return spoken_by(
            lambda source, out: [self._program, *manner, "-f", str(source), "-o", str(out)], text
        )
