import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.audio.resample import HIGHEST_RATE_HZ, Resampler, resample
from edge_asr.errors import AudioError
from edge_asr.stage import Stage

RATES_HZ = [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 192_000]


def sine(rate_hz: int, samples: int, *, frequency_hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(samples) / rate_hz)).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(
    rate_hz=st.sampled_from(RATES_HZ),
    length=st.integers(0, 6000),
    cuts=st.lists(st.integers(0, 6000), max_size=30),
    single=st.integers(0, 6000),
)
def test_streamed_is_whole_bit_for_bit(rate_hz: int, length: int, cuts: list[int], single: int) -> None:
    samples = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    cuts = sorted(min(cut, length) for cut in [*cuts, single, single, single + 1])  # an empty part, one of 1
    stage = Resampler(rate_hz, 16_000)
    streamed = np.concatenate([*(stage.push(part) for part in np.split(samples, cuts)), stage.flush()])
    np.testing.assert_array_equal(streamed, resample(samples, rate_hz, 16_000))


def test_sample_by_sample_is_whole() -> None:
    samples = sine(48_000, 1500)
    stage = Resampler(48_000, 16_000)
    streamed = [stage.push(samples[i : i + 1]) for i in range(samples.size)]
    np.testing.assert_array_equal(
        np.concatenate([*streamed, stage.flush()]), resample(samples, 48_000, 16_000)
    )


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_keeps_its_place_pitch_and_level(rate_hz: int) -> None:
    resampled = resample(sine(rate_hz, rate_hz), rate_hz, 16_000)
    assert resampled.dtype == np.float32
    assert resampled.shape == (16_000,)
    inner = slice(2_000, -2_000)  # the tone's sudden start and end ring
    np.testing.assert_allclose(resampled[inner], sine(16_000, 16_000)[inner], atol=2e-4)


def test_what_16_khz_cannot_hold_is_gone() -> None:
    above_nyquist = resample(sine(48_000, 48_000, frequency_hz=12_000), 48_000, 16_000)
    assert np.abs(above_nyquist[2_000:-2_000]).max() < 1e-4


def test_the_lag_is_what_the_docstring_says() -> None:
    for rate_hz, lag_ms in [(8_000, 66), (44_100, 22), (48_000, 21), (192_000, 61)]:
        ready = Resampler(rate_hz, 16_000).push(sine(rate_hz, rate_hz)).size
        assert (16_000 - ready) / 16 <= lag_ms + 1


def test_equal_rates_touch_nothing() -> None:
    samples = sine(16_000, 100)
    stage = Resampler(16_000, 16_000)
    np.testing.assert_array_equal(stage.push(samples), samples)
    assert stage.flush().shape == (0,)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_flush_answers_once_and_reset_is_new(rate_hz: int) -> None:
    samples = sine(rate_hz, 5_000)
    stage = Resampler(rate_hz, 16_000)
    assert isinstance(stage, Stage)
    first = np.concatenate([stage.push(samples), stage.flush()])
    assert stage.flush().size == 0
    stage.reset()
    np.testing.assert_array_equal(np.concatenate([stage.push(samples), stage.flush()]), first)
    stage.reset()
    assert stage.flush().size == 0


@pytest.mark.parametrize("rate_hz", [-16_000, 0, 1, 999, HIGHEST_RATE_HZ + 1])
def test_nonsense_rates_are_refused(rate_hz: int) -> None:
    with pytest.raises(AudioError, match=f"got {rate_hz} Hz"):
        Resampler(rate_hz, 16_000)
    with pytest.raises(AudioError, match=f"got {rate_hz} Hz"):
        Resampler(16_000, rate_hz)
