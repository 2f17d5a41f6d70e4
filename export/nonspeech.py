"""Sounds that nobody speaks, made from a seed: a recognizer must learn to say nothing to them."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array


def nonspeech(rng: np.random.Generator, *, seconds: float, sample_rate_hz: int) -> Float32Array:
    """Digital silence, white, pink or brown noise, hum, or steady tones at a random level.

    Returns
    -------
    (n,) float32 in [-1, 1].
    """
    n = int(seconds * sample_rate_hz)
    kind = rng.choice(["silence", "coloured", "coloured", "tone", "hum"])
    if kind == "silence":
        return np.zeros(n, dtype=np.float32)
    t = np.arange(n) / sample_rate_hz
    if kind == "coloured":
        spectrum = np.fft.rfft(rng.standard_normal(n))
        slope = rng.choice([0.0, 0.5, 1.0])  # amplitude ~ f^-slope: white, pink, brown
        wave = np.fft.irfft(spectrum / np.maximum(np.arange(spectrum.size), 1.0) ** slope, n)
    elif kind == "tone":
        tones = rng.integers(1, 4)
        hz = np.exp(rng.uniform(np.log(80), np.log(6000), tones))
        wave = np.sin(2 * np.pi * hz[:, None] * t + rng.uniform(0, 2 * np.pi, (tones, 1))).sum(axis=0)
    else:
        hz = rng.choice([50.0, 60.0])
        harmonics = np.arange(1, 12)[:, None]
        wave = (np.sin(2 * np.pi * hz * harmonics * t) / harmonics).sum(axis=0)
        wave += 0.1 * rng.standard_normal(n)
    level_db = rng.uniform(-60, -3)
    return (wave / max(float(np.abs(wave).max()), 1e-9) * 10 ** (level_db / 20)).astype(np.float32)
