"""How loud the microphone is set: gain, and clipping where it is set too high."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Float32Array
from export.augment.step import Range, check_probability, check_range
from export.augment.surroundings import Surroundings


def perturb_level(samples: Float32Array, gain_db: float) -> Float32Array:
    """Amplify and clip, as a badly set microphone does: (n,) -> (n,)."""
    return np.asarray(np.clip(samples * np.float32(10 ** (gain_db / 20)), -1.0, 1.0), dtype=np.float32)


def overdrive(samples: Float32Array, overdrive_db: float) -> Float32Array:
    """Clip all that comes within ``overdrive_db`` of the peak, and leave the rest as it is: (n,) -> (n,)."""
    ceiling = np.float32(np.abs(samples).max(initial=0.0) * 10 ** (-overdrive_db / 20))
    return np.asarray(np.clip(samples, -ceiling, ceiling), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Level:
    """Gain of the recording."""

    probability: float = 1.0
    """Share of utterances that it happens to."""
    gain_db: Range = (-20.0, 6.0)
    """Gain; what passes full scale is clipped."""
    clip_probability: float = 0.1
    """Share, of those, that is clipped before as well, as by a preamplifier."""
    overdrive_db: Range = (3.0, 15.0)
    """How far the peak lies above the ceiling of that preamplifier."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_probability(self.clip_probability)
        check_range("gain_db", self.gain_db, -60.0, 40.0)
        check_range("overdrive_db", self.overdrive_db, 0.0, 40.0)

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (n,) in [-1, 1]."""
        gain_db, overdrive_db = rng.uniform(*self.gain_db), rng.uniform(*self.overdrive_db)
        note = f"{gain_db:+.0f} dB"
        if rng.random() < self.clip_probability:
            samples, note = overdrive(samples, overdrive_db), f"{note}, clipped {overdrive_db:.0f} dB"
        return perturb_level(samples, gain_db), note
