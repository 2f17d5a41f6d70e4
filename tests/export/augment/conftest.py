"""Speech-like sounds for tests: bursts of harmonics with pauses between them."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asr.arrays import Float32Array

RATE_HZ = 16_000


def bursts(seed: int = 0, *, seconds: float = 4.0) -> Float32Array:
    """Syllables of 200 ms, each followed by a pause of 200 ms: (n,) with a peak of 0.3."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = np.sum([np.sin(2 * np.pi * 140 * k * t + rng.uniform(0, 6)) / k for k in range(1, 50)], axis=0)
    wave = wave * (t % 0.4 < 0.2)
    return np.asarray(0.3 * wave / np.abs(wave).max(), dtype=np.float32)


@pytest.fixture
def speech() -> Float32Array:
    """Four seconds of :func:`bursts`."""
    return bursts()
