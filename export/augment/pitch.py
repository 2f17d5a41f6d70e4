"""Higher and lower voices at the same tempo, by Signalsmith Stretch (MIT, the package python-stretch)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Float32Array
from export.augment.step import Range, check_probability, check_range
from export.augment.surroundings import Surroundings


def shift_pitch(samples: Float32Array, semitones: float, sample_rate_hz: int) -> Float32Array:
    """Transpose, formants with it: (n,) -> (n,), aligned within a few milliseconds."""
    from python_stretch import Signalsmith

    stretch = Signalsmith.Stretch()
    stretch.preset(1, float(sample_rate_hz))
    stretch.setTransposeSemitones(semitones)
    # (n,) -> (channels, n) -> (n,)
    shifted: Float32Array = np.asarray(stretch.process(np.ascontiguousarray(samples[None])), dtype=np.float32)
    mono: Float32Array = shifted[0]
    return mono


@dataclass(frozen=True, kw_only=True)
class Pitch:
    """Another pitch at the same tempo."""

    probability: float = 0.3
    """Share of utterances that it happens to."""
    semitones: Range = (-3.0, 3.0)
    """By how much; beyond four a voice sounds like no person."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("semitones", self.semitones, -12.0, 12.0)

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (n,)."""
        semitones = rng.uniform(*self.semitones)
        return shift_pitch(samples, semitones, around.sample_rate_hz), f"pitch {semitones:+.1f}"
