import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asr.audio.file import open_audio, read_audio
from edge_asr.audio.resample import resample
from edge_asr.errors import AudioError


def tone(rate_hz: int = 16_000, duration_s: float = 1.5, channels: int = 1) -> np.ndarray:
    """(n, channels) with as much detail as a codec needs to have something to do."""
    n = round(rate_hz * duration_s)
    t = np.arange(n) / rate_hz
    mono = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 1234 * t) * np.sin(2 * np.pi * 3 * t)
    return np.repeat(mono[:, None], channels, axis=1).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate_hz: int = 16_000, **named: str) -> Path:
    soundfile.write(path, samples, rate_hz, **named)
    return path


def set_sizes(path: Path, *, riff: int | None = None, data: int) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", data)
    if riff is not None:
        content[4:8] = struct.pack("<I", riff)
    path.write_bytes(content)


FORMATS = [
    ("a.wav", {"subtype": "PCM_16"}, 4e-5),
    ("a.wav", {"subtype": "PCM_U8"}, 8e-3),
    ("a.wav", {"subtype": "PCM_24"}, 1e-6),
    ("a.wav", {"subtype": "FLOAT"}, 0),
    ("a.wav", {"subtype": "ALAW"}, 2e-2),
    ("a.flac", {}, 4e-5),
    ("a.ogg", {"format": "OGG", "subtype": "VORBIS"}, 5e-2),
    ("a.opus", {"format": "OGG", "subtype": "OPUS"}, 5e-2),
    ("a.mp3", {}, 5e-2),
    ("misnamed.mp3", {"format": "WAV", "subtype": "FLOAT"}, 0),
    ("misnamed.raw", {"format": "WAV", "subtype": "FLOAT"}, 0),
    ("no_ending", {"format": "WAV", "subtype": "FLOAT"}, 0),
]


@pytest.mark.parametrize(("name", "named", "tolerance"), FORMATS)
def test_formats(tmp_path: Path, name: str, named: dict[str, str], tolerance: float) -> None:
    if name.endswith(".mp3") and not named and "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile has no MP3")
    samples = read_audio(write(tmp_path / name, tone(), **named))
    assert samples.dtype == np.float32
    assert samples.shape == (24_000,)
    inner = slice(2_000, -2_000)  # a lossy codec smears the sudden start and end
    np.testing.assert_allclose(samples[inner], tone()[inner, 0], atol=tolerance)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (44_100, 2), (192_000, 8), (16_000, 6)])
def test_any_rate_and_channel_count(tmp_path: Path, rate_hz: int, channels: int) -> None:
    path = write(tmp_path / "a.wav", tone(rate_hz, channels=channels), rate_hz)
    samples = read_audio(path)
    assert samples.shape == (24_000,)
    np.testing.assert_allclose(samples[500:-500], tone()[500:-500, 0], atol=1e-3)


def test_channels_are_mixed(tmp_path: Path) -> None:
    stereo = tone(channels=2)
    stereo[:, 1] *= -0.5
    samples = read_audio(write(tmp_path / "a.wav", stereo, subtype="FLOAT"))
    np.testing.assert_allclose(samples, stereo[:, 0] / 4, atol=1e-7)


@pytest.mark.parametrize(("name", "named"), [(name, named) for name, named, _ in FORMATS[:9]])
def test_blocks_add_up_to_the_whole_and_are_small(tmp_path: Path, name: str, named: dict[str, str]) -> None:
    if name.endswith(".mp3") and "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile has no MP3")
    path = write(tmp_path / name, tone(48_000), 48_000, **named)
    with open_audio(path) as audio:
        assert audio.source_rate_hz == 48_000
        assert audio.channels == 1
        assert audio.duration_s == pytest.approx(1.5)
        blocks = list(audio)
    assert max(block.size for block in blocks) <= 2_000
    decoded, _ = soundfile.read(path, dtype="float32")
    # libmpg123 rounds differently, in the last bit, when it is asked for blocks.
    np.testing.assert_allclose(
        np.concatenate(blocks), resample(decoded, 48_000, 16_000), atol=1e-6 if name.endswith(".mp3") else 0
    )  # a seek between blocks would garble MP3 by 0.4


def test_another_target_rate(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(), subtype="FLOAT")
    assert read_audio(path, 8_000).shape == (12_000,)


def test_a_string_will_do_as_path_and_closing_twice_is_harmless(tmp_path: Path) -> None:
    audio = open_audio(str(write(tmp_path / "a.wav", tone())))
    audio.close()
    audio.close()


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "PCM_24", "ALAW"])
@pytest.mark.parametrize(
    ("riff", "data"),
    [(0xFFFF_FFFF, 0xFFFF_FFFF), (0, 0), (36, 0), (0xFFFF_FFFF, 0), (0x7FFF_F024, 0x7FFF_F000)],
)
def test_a_wav_written_into_a_pipe_is_read_to_its_end(
    tmp_path: Path, subtype: str, riff: int, data: int
) -> None:
    path = write(tmp_path / "a.wav", tone(), subtype=subtype)
    whole = read_audio(path)
    if riff == 36:  # what Python's wave module leaves: the length of all up to the samples
        riff = path.read_bytes().index(b"data")
    set_sizes(path, riff=riff, data=data)
    np.testing.assert_array_equal(read_audio(path), whole)


def refused(path: Path, match: str) -> None:
    with pytest.raises(AudioError, match=match) as caught:
        read_audio(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "none.wav", "no such file")


def test_directory(tmp_path: Path) -> None:
    refused(tmp_path, "directory")


def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    refused(tmp_path / "fifo", "pipe")


def test_a_file_as_directory(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone())
    refused(path / "b.wav", "cannot be read")


def test_zero_length(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    refused(tmp_path / "a.wav", "empty")


@pytest.mark.parametrize("content", [b"hello world\n" * 99, bytes(1000), b"RIFF", b"O", b"ID3" + bytes(99)])
def test_not_audio(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    refused(tmp_path / "a.wav", "not an audio file|truncated|damaged at its start")


@pytest.mark.parametrize("name", ["a.wav", "a.ogg"])
def test_header_without_samples(tmp_path: Path, name: str) -> None:
    refused(write(tmp_path / name, tone()[:0]), "no samples")


def test_empty_data_chunk_before_another_chunk(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone()[:0])
    content = path.read_bytes() + b"LIST" + struct.pack("<I", 4) + b"INFO"
    path.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    refused(path, "no samples")


@pytest.mark.parametrize("keep", [0.95, 0.5, 0.01])
@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("a.wav", {"subtype": "PCM_16"}),
        ("a.wav", {"subtype": "FLOAT"}),
        ("a.wav", {"format": "RF64"}),
        ("a.flac", {}),
        ("a.ogg", {"format": "OGG", "subtype": "VORBIS"}),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("a.mp3", {}),
    ],
)
def test_truncated(tmp_path: Path, name: str, named: dict[str, str], keep: float) -> None:
    if name.endswith(".mp3"):
        if "MP3" not in soundfile.available_formats():
            pytest.skip("this libsndfile has no MP3")
        named = {"subtype": "MPEG_LAYER_III"}
    path = write(tmp_path / name, tone(duration_s=6), **named)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    refused(path, "truncated|damaged at its start" if keep == 0.01 else "truncated")


def test_a_compressed_file_may_end_a_packet_early(tmp_path: Path) -> None:
    """Some encoders count padding of their own that no decoder gives back."""
    if "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile has no MP3")
    path = write(tmp_path / "a.mp3", tone(duration_s=6))
    path.write_bytes(path.read_bytes()[:-200])
    assert 96_000 - 1_920 <= read_audio(path).size < 96_000


def test_a_truncated_wav_is_refused_before_any_sample(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone())
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(AudioError, match="promises 48000 bytes of samples, the file holds 47000"):
        open_audio(path)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg"])
def test_damage_in_the_middle(tmp_path: Path, name: str) -> None:
    noise = (0.1 * np.random.default_rng(1).standard_normal(16_000 * 20)).astype(np.float32)
    path = write(tmp_path / name, noise)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = np.random.default_rng(0).bytes(2000)
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"after \d+\.\d\d of 20\.00 s: the file is damaged"):
        read_audio(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 32_000.0])
def test_samples_that_are_no_samples(tmp_path: Path, bad: float) -> None:
    samples = tone(channels=2)
    samples[20_000, 1] = bad
    refused(write(tmp_path / "a.wav", samples, subtype="FLOAT"), r"sample 20000 \(at 1\.250 s\) is")


@pytest.mark.parametrize("rate_hz", [1, 900_000])
def test_impossible_rates(tmp_path: Path, rate_hz: int) -> None:
    refused(write(tmp_path / "a.wav", tone()[:100], rate_hz), f"got {rate_hz} Hz")


def test_no_descriptor_is_left_open_after_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone()[:100], 900_000)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    if before is None:
        pytest.skip("this system does not list open descriptors")
    for _ in range(10):
        with pytest.raises(AudioError):
            open_audio(path)
    assert len(os.listdir("/proc/self/fd")) == before
