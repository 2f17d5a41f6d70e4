import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.errors import UsageError
from edge_asr.stage import Stage
from edge_asr.vad import FRAME_SAMPLES, VADS, create_vad

NAMES = sorted(VADS)


def bursts(samples: int) -> np.ndarray:
    """Noise that is loud in every other half second."""
    noise = np.random.default_rng(1).standard_normal(samples)
    loud = np.arange(samples) // 8_000 % 2
    return (noise * (0.001 + 0.2 * loud)).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=40)
@given(length=st.integers(0, 20_000), cuts=st.lists(st.integers(0, 20_000), max_size=20))
def test_streamed_is_whole(name: str, length: int, cuts: list[int]) -> None:
    samples = bursts(length)
    whole = create_vad(name).push(samples)
    assert whole.dtype == np.float32
    assert whole.shape == (length // FRAME_SAMPLES,)
    assert ((whole >= 0) & (whole <= 1)).all()
    vad = create_vad(name)
    cuts = sorted(min(cut, length) for cut in [*cuts, *(cut + 1 for cut in cuts)])
    streamed = np.concatenate([*(vad.push(part) for part in np.split(samples, cuts)), vad.flush()])
    np.testing.assert_array_equal(streamed, whole)


@pytest.mark.parametrize("name", NAMES)
def test_reset_is_new_and_flush_is_empty(name: str) -> None:
    vad = create_vad(name)
    assert isinstance(vad, Stage)
    samples = bursts(30_000)
    first = vad.push(samples)
    assert vad.flush().shape == (0,)
    assert vad.flush().shape == (0,)
    vad.reset()
    np.testing.assert_array_equal(vad.push(samples), first)


@pytest.mark.parametrize("name", NAMES)
def test_digital_silence_is_no_speech(name: str) -> None:
    assert create_vad(name).push(np.zeros(32_000, np.float32)).max() < 0.5


def test_two_instances_share_nothing() -> None:
    for name in NAMES:
        other, vad = create_vad(name), create_vad(name)
        other.push(bursts(30_000))
        np.testing.assert_array_equal(vad.push(bursts(9_000)), create_vad(name).push(bursts(9_000)))


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"'sonar'.*webrtc.*energy"):
        create_vad("sonar")
