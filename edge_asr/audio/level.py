"""How loud a stretch of sound was, and whether it was cut off at full scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_asr.arrays import Float32Array

FULL_SCALE: Final = 0.99
"""Samples from here on count as clipped: resampling leaves a flat top a little below or above 1."""
WINDOW_SAMPLES: Final = 1600
"""Loudness is that of the loudest window so long, 0.1 s at 16 kHz: a syllable, no click."""
_SILENCE_DB: Final = -120.0


@dataclass(frozen=True, kw_only=True)
class Level:
    """What a :class:`LevelMeter` found."""

    loudest_db: float = _SILENCE_DB
    """Mean power of the loudest tenth of a second, in dB over full scale, at least -120."""
    clipped: float = 0.0
    """Share of the samples at full scale, between 0 and 1."""


class LevelMeter:
    """Push samples (n,) in [-1, 1], any n; ask for the level of all since the last reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._samples = self._clipped = self._filled = 0
        self._loudest = self._power = 0.0

    def push(self, samples: Float32Array) -> None:
        """Take any number of samples."""
        self._samples += samples.size
        self._clipped += int(np.count_nonzero(np.abs(samples) >= FULL_SCALE))
        at = 0
        while at < samples.size:
            part = samples[at : at + WINDOW_SAMPLES - self._filled]
            self._power += float(np.square(part, dtype=np.float64).sum())
            self._filled += part.size
            at += part.size
            if self._filled == WINDOW_SAMPLES:
                self._loudest = max(self._loudest, self._power / WINDOW_SAMPLES)
                self._filled, self._power = 0, 0.0

    @property
    def level(self) -> Level:
        """Of everything so far; an unfinished window counts as if silence followed."""
        if not self._samples:
            return Level()
        loudest = max(self._loudest, self._power / WINDOW_SAMPLES)
        return Level(
            loudest_db=round(max(_SILENCE_DB, 10.0 * float(np.log10(loudest + 1e-30))), 2),
            clipped=self._clipped / self._samples,
        )
