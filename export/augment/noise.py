"""Noise from recordings, and babble of other people, at a drawn distance in level from the speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Float32Array
from export.augment.loudness import active_power
from export.augment.step import Range, check_probability, check_range
from export.augment.surroundings import Surroundings


def mix(speech: Float32Array, noise: Float32Array, snr_db: float, sample_rate_hz: int) -> Float32Array:
    """Add noise ``snr_db`` below the speech, both measured while they are active: (n,), (n,) -> (n,).

    The noise is measured like the speech, so that a door that slams is as loud as said when it slams. Where
    either is silent, the speech comes back. A sum beyond full scale is turned down as a whole.
    """
    speech_power, noise_power = active_power(speech, sample_rate_hz), active_power(noise, sample_rate_hz)
    if speech_power == 0.0 or noise_power == 0.0:
        return speech
    gain = np.sqrt(speech_power / noise_power) * 10 ** (-snr_db / 20)
    mixed = speech + np.float32(gain) * noise
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A recorded noise."""

    probability: float = 0.6
    """Share of utterances that it happens to."""
    set: str = "noise"
    """Set below the corpus root whose ``train`` recordings are the noises."""
    snr_db: Range = (-5.0, 25.0)
    """Level of the speech above the noise."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("snr_db", self.snr_db, -30.0, 60.0)

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (n,)."""
        assert around.noises is not None, "the surroundings of a chain with noise hold noises"
        noise, name = around.noises.excerpt(samples.size, rng)
        snr_db = rng.uniform(*self.snr_db)
        return mix(samples, noise, snr_db, around.sample_rate_hz), f"{name} {snr_db:.0f} dB"


@dataclass(frozen=True, kw_only=True)
class Babble:
    """Other people who speak at the same time."""

    probability: float = 0.1
    """Share of utterances that it happens to."""
    voices: tuple[int, int] = (3, 7)
    """How many; one or two would leave words that a listener could follow."""
    snr_db: Range = (5.0, 25.0)
    """Level of the speech above all of them."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("voices", self.voices, 1, 50)
        check_range("snr_db", self.snr_db, -30.0, 60.0)

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (n,)."""
        assert around.voices is not None, "the surroundings of a chain with babble hold voices"
        low, high = self.voices
        count = int(rng.integers(low, high + 1))
        babble = np.zeros(samples.size, dtype=np.float32)
        for _ in range(count):
            voice, _ = around.voices.excerpt(samples.size, rng)
            power = active_power(voice, around.sample_rate_hz)
            babble += voice / np.float32(max(power, 1e-9) ** 0.5)
        snr_db = rng.uniform(*self.snr_db)
        return mix(samples, babble, snr_db, around.sample_rate_hz), f"{count} voices {snr_db:.0f} dB"
