import numpy as np
import pytest

from edge_asr.audio import pcm
from edge_asr.errors import AudioError

EVERY_INT16 = np.arange(-32768, 32768).astype(np.int16)


def test_every_integer_survives_the_round_trip() -> None:
    samples = pcm.from_int16(EVERY_INT16)
    assert samples.dtype == np.float32
    assert samples.min() == -1.0
    assert samples.max() == np.float32(32767 / 32768)
    np.testing.assert_array_equal(pcm.to_int16(samples), EVERY_INT16)
    np.testing.assert_array_equal(pcm.from_bytes(pcm.to_bytes(samples)), samples)


def test_bytes_are_little_endian() -> None:
    np.testing.assert_array_equal(pcm.from_bytes(b"\x00\x40\x00\xc0"), np.float32([0.5, -0.5]))
    assert pcm.to_bytes(np.float32([0.5, -0.5])) == b"\x00\x40\x00\xc0"
    assert pcm.from_bytes(b"").shape == (0,)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(AudioError, match="got 3"):
        pcm.from_bytes(b"abc")


def test_too_loud_clips_and_does_not_wrap() -> None:
    loud = np.float32([1.0, 1.5, -1.0, -1.5, 99.0])
    np.testing.assert_array_equal(pcm.to_int16(loud), [32767, 32767, -32768, -32768, 32767])


def test_mono_is_the_mean_of_the_channels() -> None:
    stereo = np.float32([[0.5, 0.25], [-1.0, 1.0], [0.0, 0.5]])
    np.testing.assert_array_equal(pcm.to_mono(stereo), np.float32([0.375, 0.0, 0.25]))
    np.testing.assert_array_equal(pcm.to_mono(stereo[:, :1]), stereo[:, 0])
    np.testing.assert_array_equal(pcm.to_mono(stereo[:, 0]), stereo[:, 0])
    assert pcm.to_mono(stereo).dtype == np.float32
    assert pcm.to_mono(np.empty((0, 2), np.float32)).shape == (0,)


@pytest.mark.parametrize("shape", [(4, 0), (2, 2, 2), ()])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match="channels"):
        pcm.to_mono(np.zeros(shape, np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e4])
@pytest.mark.parametrize("shape", [(4000,), (4000, 2)])
def test_the_first_bad_sample_is_named(bad: float, shape: tuple[int, ...]) -> None:
    samples = np.zeros(shape, np.float32)
    samples[1600] = samples[1700] = bad
    with pytest.raises(AudioError, match=r"sample 2600 \(at 0\.163 s\) is " + f"{bad:g}".replace("+", r"\+")):
        pcm.check_samples(samples, sample_rate_hz=16_000, first_sample=1000)
    with pytest.raises(AudioError, match="sample 1600 is"):
        pcm.check_samples(samples)


def test_one_bad_channel_is_enough() -> None:
    samples = np.zeros((10, 2), np.float32)
    samples[7, 1] = np.nan
    with pytest.raises(AudioError, match="sample 7 is nan"):
        pcm.check_samples(samples)


def test_loud_but_honest_samples_pass() -> None:
    pcm.check_samples(np.float32([4.0, -4.0, 0.0]))
    pcm.check_samples(np.empty(0, np.float32))
    pcm.check_samples(np.empty((0, 2), np.float32))
