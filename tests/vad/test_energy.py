import numpy as np
import pytest

from edge_asr.vad.energy import (
    EVEN_ODDS_DB,
    FLOOR_WINDOW_S,
    SLOPE_DB,
    EnergyVad,
    frame_levels_db,
    speech_probability,
)


def noise(level_db: float, duration_s: float, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal(round(16_000 * duration_s))
    return (samples * 10 ** (level_db / 20)).astype(np.float32)


def test_levels_are_decibels_over_full_scale() -> None:
    frames = np.stack([np.ones(320), np.full(320, -0.1), np.zeros(320)]).astype(np.float32)
    np.testing.assert_allclose(frame_levels_db(frames), [0, -20, -120], atol=1e-6)


def test_the_curve() -> None:
    levels = np.array([EVEN_ODDS_DB, EVEN_ODDS_DB + 3 * SLOPE_DB, EVEN_ODDS_DB - 3 * SLOPE_DB, 100, -100])
    np.testing.assert_allclose(speech_probability(levels), [0.5, 0.953, 0.047, 1, 0], atol=1e-3)


@pytest.mark.parametrize("floor_db", [-75, -55, -46])
def test_what_rises_above_the_noise_is_speech(floor_db: float) -> None:
    parts = [noise(floor_db, 2), noise(-25, 1, seed=1), noise(floor_db, 2, seed=2)]
    probabilities = EnergyVad().push(np.concatenate(parts))
    assert probabilities[:100].max() < 0.5
    assert probabilities[100:150].min() > 0.9
    assert probabilities[150:].max() < 0.5


def test_a_stream_may_open_with_speech() -> None:
    assert EnergyVad().push(noise(-25, 1)).min() > 0.9


def test_the_floor_follows_a_rise_of_the_noise_within_its_window() -> None:
    vad = EnergyVad()
    vad.push(noise(-60, 4))
    risen = vad.push(noise(-35, FLOOR_WINDOW_S + 2, seed=1))
    window = round(FLOOR_WINDOW_S * 50)
    assert risen[: window - 1].min() > 0.9
    assert risen[window:].max() < 0.5


def test_hiss_after_digital_silence_is_no_speech() -> None:
    vad = EnergyVad()
    vad.push(np.zeros(80_000, np.float32))
    assert vad.push(noise(-58, 2)).max() < 0.5
