"""Music-like sound from a seed: chords, a melody with vibrato, and drums; nobody sings."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array

_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
"""Semitones of a major key."""
_CHORDS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4))
"""Steps of the scale on which the bars stand."""


def music(rng: np.random.Generator, *, seconds: float, sample_rate_hz: int) -> Float32Array:
    """(n,) samples in [-1, 1] of a band that plays on."""
    n = round(seconds * sample_rate_hz)
    beat_s = 60 / rng.uniform(70, 150)
    key_hz = 110 * 2 ** (rng.integers(12) / 12)
    bars = _CHORDS[rng.integers(len(_CHORDS))]
    band = np.zeros(n + 2 * sample_rate_hz)
    for beat in range(int(seconds / beat_s)):
        start = round(beat * beat_s * sample_rate_hz)
        root = bars[beat // 4 % len(bars)]
        if beat % 4 == 0:
            for step in (0, 2, 4):
                _add(band, start, 0.3 * _note(_hz(key_hz, root + step), 4 * beat_s, sample_rate_hz, rng))
        for half in range(2 if rng.random() < 0.4 else 1):
            at = start + round(half * beat_s / 2 * sample_rate_hz)
            if rng.random() < 0.8:
                step = root + int(rng.integers(-3, 8)) + 7
                length_s = beat_s * rng.uniform(0.4, 1.5)
                _add(band, at, 0.5 * _note(_hz(key_hz, step), length_s, sample_rate_hz, rng))
        _add(band, start, 0.6 * _drum(beat % 2 == 0, sample_rate_hz, rng))
    level = 10 ** (rng.uniform(-30, -3) / 20)
    return (level * band[:n] / max(float(np.abs(band[:n]).max()), 1e-9)).astype(np.float32)


def _hz(key_hz: float, step: int) -> float:
    octave, place = divmod(step, len(_SCALE))
    return float(key_hz * 2 ** (octave + _SCALE[place] / 12))


def _note(hz: float, seconds: float, rate_hz: int, rng: np.random.Generator) -> Float64Array:
    """Harmonics below 7 kHz with vibrato, an attack and a decay: (n,)."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    vibrato = 1 + 0.006 * np.sin(2 * np.pi * rng.uniform(4, 7) * t)
    phase = 2 * np.pi * np.cumsum(hz * vibrato) / rate_hz
    harmonics = np.arange(1, max(2, min(12, int(7000 / hz))))
    strengths = harmonics ** -rng.uniform(0.8, 2.0)
    wave = (strengths[:, None] * np.sin(harmonics[:, None] * phase)).sum(axis=0)
    envelope = np.minimum(t / 0.02, 1.0) * np.exp(-t / (seconds * rng.uniform(0.3, 1.0)))
    note: Float64Array = wave * envelope
    return note


def _drum(bass: bool, rate_hz: int, rng: np.random.Generator) -> Float64Array:
    """A bass drum or a snare: (n,)."""
    t = np.arange(round(0.25 * rate_hz)) / rate_hz
    if bass:
        hit: Float64Array = np.sin(2 * np.pi * (50 * t + 30 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.08)
    else:
        hit = 0.5 * rng.standard_normal(t.size) * np.exp(-t / 0.06)
    return hit


def _add(band: Float64Array, start: int, sound: Float64Array) -> None:
    end = min(band.size, start + sound.size)
    band[start:end] += sound[: end - start]
