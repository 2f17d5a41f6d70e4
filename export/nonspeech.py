"""Sounds that nobody speaks, made from a seed: a recognizer must learn to say nothing to them."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array

_KINDS = ("silence", "coloured", "coloured", "tone", "hum", "tune", "tune", "tune", "beats", "beats")
"""What is drawn from."""
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), tuple(range(12)))
"""Semitones of major, minor, pentatonic and chromatic scales."""


def nonspeech(rng: np.random.Generator, *, seconds: float, sample_rate_hz: int) -> Float32Array:
    """Digital silence, white, pink or brown noise, hum, steady tones, tunes or beats at a random level.

    Returns
    -------
    (n,) float32 in [-1, 1].
    """
    n = int(seconds * sample_rate_hz)
    kind = rng.choice(_KINDS)
    if kind == "silence" or not n:
        return np.zeros(n, dtype=np.float32)
    t = np.arange(n) / sample_rate_hz
    if kind == "coloured":
        wave = _coloured(rng, n)
    elif kind == "tone":
        tones = rng.integers(1, 4)
        hz = np.exp(rng.uniform(np.log(80), np.log(6000), tones))
        wave = np.sin(2 * np.pi * hz[:, None] * t + rng.uniform(0, 2 * np.pi, (tones, 1))).sum(axis=0)
    elif kind == "tune":
        wave = sum((_tune(rng, n, sample_rate_hz) for _ in range(rng.integers(1, 4))), np.zeros(n))
        if rng.random() < 0.4:
            wave = wave + rng.uniform(0.2, 1.0) * _beats(rng, n, sample_rate_hz)
    elif kind == "beats":
        wave = _beats(rng, n, sample_rate_hz)
    else:
        hz = rng.choice([50.0, 60.0])
        harmonics = np.arange(1, 12)[:, None]
        wave = (np.sin(2 * np.pi * hz * harmonics * t) / harmonics).sum(axis=0)
        wave += 0.1 * rng.standard_normal(n)
    level_db = rng.uniform(-60, -3)
    return (wave / max(float(np.abs(wave).max()), 1e-9) * 10 ** (level_db / 20)).astype(np.float32)


def _coloured(rng: np.random.Generator, n: int) -> Float64Array:
    """White, pink or brown noise (n,)."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    slope = rng.choice([0.0, 0.5, 1.0])  # amplitude ~ f^-slope: white, pink, brown
    wave: Float64Array = np.fft.irfft(spectrum / np.maximum(np.arange(spectrum.size), 1.0) ** slope, n)
    return wave


def _tune(rng: np.random.Generator, n: int, rate_hz: int) -> Float64Array:
    """One instrument that plays notes or chords of a scale (n,): plucked, bowed or blown."""
    scale, base_hz = _SCALES[rng.integers(len(_SCALES))], 55 * 2 ** rng.uniform(0, 3)
    note_s, voices = np.exp(rng.uniform(np.log(0.08), np.log(1.2))), int(rng.choice([1, 1, 2, 3]))
    decay_s = note_s * np.exp(rng.uniform(-1.5, 1.5))
    attack_s = np.exp(rng.uniform(np.log(0.003), np.log(0.1)))
    slope, depth, wobble_hz = rng.uniform(0.3, 2.5), rng.uniform(0.0, 0.012), rng.uniform(3, 8)
    every_second = rng.random() < 0.3  # as in reeds
    wave = np.zeros(n)
    at, step = 0, 0
    while at < n:
        length = min(n - at, int((note_s + decay_s) * rate_hz))
        if rng.random() < 0.85:
            t = np.arange(length) / rate_hz
            envelope = np.minimum(t / attack_s, 1.0) * np.exp(-t / decay_s)
            step = int(np.clip(step + rng.integers(-3, 4), -len(scale), 2 * len(scale)))
            for chord in range(voices):
                octave, place = divmod(step + 2 * chord, len(scale))
                hz = base_hz * 2 ** (octave + scale[place] / 12)
                phase = 2 * np.pi * hz * np.cumsum(1 + depth * np.sin(2 * np.pi * wobble_hz * t)) / rate_hz
                for harmonic in range(1, max(2, min(16, int(7500 / hz))), 2 if every_second else 1):
                    wave[at : at + length] += harmonic**-slope * envelope * np.sin(harmonic * phase)
        at += max(1, int(note_s * rng.choice([0.5, 1.0, 1.0, 2.0]) * rate_hz))
    peak = float(np.abs(wave).max())
    return wave / peak if peak > 0 else wave


def _beats(rng: np.random.Generator, n: int, rate_hz: int) -> Float64Array:
    """Drums, clicks and clatter (n,): bursts of filtered noise and of falling tones, regular or not."""
    beat_s, regular = rng.uniform(0.12, 0.6), rng.random() < 0.7
    wave = np.zeros(n)
    at = 0
    while at < n:
        length = min(n - at, int(rng.uniform(0.03, 0.35) * rate_hz))
        t = np.arange(length) / rate_hz
        if rng.random() < 0.5:
            hit = np.sin(2 * np.pi * rng.uniform(40, 400) * t * (1 - 0.3 * t / max(t[-1], 1e-3)))
        else:
            noise, taps = rng.standard_normal(length), rng.standard_normal(int(rng.integers(1, 24)))
            hit = np.convolve(noise, taps, "same")[:length]  # it is as long as the longer of the two
        peak = max(float(np.abs(hit).max()), 1e-9)
        wave[at : at + length] += rng.uniform(0.2, 1.0) * hit / peak * np.exp(-t / rng.uniform(0.01, 0.12))
        at += int(beat_s * (rng.choice([0.5, 1.0, 1.0]) if regular else rng.uniform(0.2, 2.0)) * rate_hz) + 1
    return wave
