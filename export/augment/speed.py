"""Faster and slower speech, pitch and formants included: the same words from another body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.audio.resample import resample
from export.augment.step import Range, check_probability, check_range
from export.augment.surroundings import Surroundings


def perturb_speed(samples: Float32Array, speed: float, sample_rate_hz: int) -> Float32Array:
    """Play ``speed`` times as fast, pitch included.

    Source: T. Ko et al., "Audio augmentation for speech recognition", Interspeech 2015.
    (n,) -> (about n / speed,).
    """
    if speed == 1.0:
        return samples
    return resample(samples, round(sample_rate_hz * speed), sample_rate_hz)


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Playback at another speed."""

    probability: float = 1.0
    """Share of utterances that it happens to."""
    factor: Range = (0.88, 1.14)
    """How many times as fast."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("factor", self.factor, 0.5, 2.0)

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (about n / factor,)."""
        factor = round(rng.uniform(*self.factor), 3)
        return perturb_speed(samples, factor, around.sample_rate_hz), f"speed {factor:.2f}"
