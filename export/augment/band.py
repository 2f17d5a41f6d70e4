"""What microphones and lines let through: telephone, narrow band, cheap capsules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.audio.resample import resample
from export.augment.step import Range, check_choice, check_probability, check_range
from export.augment.surroundings import Surroundings

KINDS = ("telephone", "narrow", "microphone")
"""300-3400 Hz (ITU-T G.712); a detour over 8 kHz; a random high-pass and low-pass."""

_TELEPHONE_HZ = (300.0, 3400.0)
_NARROW_RATE_HZ = 8_000


def band_limit(
    samples: Float32Array, low_hz: float, high_hz: float, sample_rate_hz: int, *, order: int = 4
) -> Float32Array:
    """Butterworth high-pass and low-pass of the given order, causal as in a device: (n,) -> (n,).

    ``high_hz`` at or above half the sample rate leaves the top open.
    """
    from scipy.signal import butter, sosfilt

    filters = [butter(order, low_hz, "highpass", fs=sample_rate_hz, output="sos")]
    if high_hz < sample_rate_hz / 2:
        filters.append(butter(order, high_hz, "lowpass", fs=sample_rate_hz, output="sos"))
    return np.asarray(sosfilt(np.concatenate(filters), samples), dtype=np.float32)


def narrow(samples: Float32Array, sample_rate_hz: int, *, rate_hz: int = _NARROW_RATE_HZ) -> Float32Array:
    """Down to ``rate_hz`` and back, so that nothing is left above half of it: (n,) -> (n,)."""
    back = resample(resample(samples, sample_rate_hz, rate_hz), rate_hz, sample_rate_hz)
    return np.pad(back, (0, max(0, samples.size - back.size)))[: samples.size]


@dataclass(frozen=True, kw_only=True)
class Band:
    """Limits of the band."""

    probability: float = 0.3
    """Share of utterances that it happens to."""
    kinds: tuple[str, ...] = ("microphone", "microphone", "narrow", "telephone")
    """Drawn from; a kind that is named twice comes twice as often."""
    low_hz: Range = (50.0, 350.0)
    """Where the low end of a cheap microphone begins."""
    high_hz: Range = (3500.0, 7500.0)
    """Where its high end stops."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_choice("kinds", self.kinds, KINDS)
        check_range("low_hz", self.low_hz, 1.0, 2000.0)
        check_range("high_hz", self.high_hz, 2000.0, 24_000.0)

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (n,), late by the filters' few milliseconds."""
        rate_hz = around.sample_rate_hz
        kind = str(rng.choice(self.kinds))
        if kind == "narrow":
            return narrow(samples, rate_hz), "8 kHz line"
        if kind == "telephone":
            return band_limit(samples, *_TELEPHONE_HZ, rate_hz), "telephone band"
        low_hz, high_hz = rng.uniform(*self.low_hz), rng.uniform(*self.high_hz)
        order = int(rng.integers(1, 5))
        limited = band_limit(samples, low_hz, high_hz, rate_hz, order=order)
        return limited, f"mic {low_hz:.0f}-{high_hz:.0f} Hz"
