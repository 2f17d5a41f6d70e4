"""Loudness and clipping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.audio.level import Level, LevelMeter

RATE_HZ = 16_000


def level_of(*parts: Float32Array) -> Level:
    meter = LevelMeter()
    for part in parts:
        meter.push(part)
    return meter.level


def tone(amplitude: float, seconds: float) -> Float32Array:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * 500 * t)).astype(np.float32)


def test_a_tone_has_its_power() -> None:
    assert level_of(tone(0.5, 1.0)).loudest_db == pytest.approx(20 * np.log10(0.5) - 3.01, abs=0.02)


def test_the_loudest_tenth_of_a_second_counts() -> None:
    quiet, loud = tone(0.01, 2.0), tone(0.3, 0.2)
    assert level_of(quiet, loud, quiet).loudest_db == pytest.approx(level_of(loud).loudest_db, abs=0.1)
    click = np.zeros(RATE_HZ, dtype=np.float32)
    click[5000] = 1.0
    assert level_of(click).loudest_db < -30


def test_clipping_is_a_share() -> None:
    samples = np.zeros(1000, dtype=np.float32)
    samples[:20], samples[20:30] = 1.0, -0.995
    assert level_of(samples).clipped == pytest.approx(0.03)


def test_nothing_and_silence() -> None:
    assert level_of() == level_of(np.zeros(0, dtype=np.float32)) == Level()
    assert level_of(np.zeros(5000, dtype=np.float32)).loudest_db == -120.0


@given(st.lists(st.integers(0, 6000), max_size=8))
def test_any_split_gives_the_same(cuts: list[int]) -> None:
    samples = np.random.default_rng(0).standard_normal(6000).astype(np.float32)
    parts = level_of(*np.split(samples, sorted(cuts)))
    whole = level_of(samples)
    assert parts.clipped == whole.clipped
    assert parts.loudest_db == pytest.approx(whole.loudest_db, abs=0.011)


def test_reset_forgets() -> None:
    meter = LevelMeter()
    meter.push(tone(0.9, 0.5))
    meter.reset()
    assert meter.level == Level()
