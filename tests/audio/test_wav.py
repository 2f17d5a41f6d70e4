import io
import struct

import pytest

from edge_asr.audio.wav import UNKNOWN_32, UnboundedData, find_data


def wav(
    data_size: int,
    *,
    riff_size: int = 1000,
    present: int = 100,
    frame_bytes: int = 2,
    before: bytes = b"",
    order: str = "<",
    magic: bytes = b"RIFF",
) -> io.BytesIO:
    fmt = struct.pack(f"{order}HHIIHH", 1, 1, 16_000, 32_000, frame_bytes, 16)
    chunks = b"fmt " + struct.pack(f"{order}I", 16) + fmt + before + b"data"
    header = magic + struct.pack(f"{order}I", riff_size) + b"WAVE"
    return io.BytesIO(header + chunks + struct.pack(f"{order}I", data_size) + bytes(present))


def test_a_whole_file() -> None:
    chunk = find_data(wav(100))
    assert chunk is not None
    assert (chunk.offset, chunk.promised_bytes, chunk.present_bytes, chunk.frame_bytes) == (44, 100, 100, 2)
    assert not chunk.truncated
    assert not chunk.size_is_zero


@pytest.mark.parametrize(
    ("promised", "present", "frame_bytes", "truncated"),
    [(100, 99, 2, True), (100, 0, 2, True), (100, 150, 2, False), (100, 99, 3, False), (99, 98, 3, True)],
)
def test_truncation_is_counted_in_whole_frames(
    promised: int, present: int, frame_bytes: int, truncated: bool
) -> None:
    chunk = find_data(wav(promised, present=present, frame_bytes=frame_bytes))
    assert chunk is not None
    assert chunk.truncated is truncated


@pytest.mark.parametrize("size", [UNKNOWN_32, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000])
def test_sizes_that_writers_into_pipes_leave(size: int) -> None:
    chunk = find_data(wav(size, riff_size=size))
    assert chunk is not None
    assert chunk.promised_bytes is None
    assert not chunk.truncated
    assert not chunk.size_is_zero


@pytest.mark.parametrize(("riff_size", "from_pipe"), [(0, True), (36, True), (UNKNOWN_32, True), (80, False)])
def test_a_size_of_zero_is_a_placeholder_unless_chunks_follow(riff_size: int, from_pipe: bool) -> None:
    chunk = find_data(wav(0, riff_size=riff_size))
    assert chunk is not None
    assert chunk.size_is_zero is from_pipe
    assert chunk.promised_bytes == (None if from_pipe else 0)


def test_a_size_of_zero_at_the_end_is_no_samples() -> None:
    chunk = find_data(wav(0, riff_size=36, present=0))
    assert chunk is not None
    assert not chunk.size_is_zero


def test_other_chunks_and_their_pad_bytes_are_stepped_over() -> None:
    chunk = find_data(wav(100, before=b"LIST" + struct.pack("<I", 3) + b"abc\0"))
    assert chunk is not None
    assert chunk.offset == 44 + 12


def test_big_endian() -> None:
    chunk = find_data(wav(100, present=50, order=">", magic=b"RIFX"))
    assert chunk is not None
    assert chunk.promised_bytes == 100
    assert chunk.truncated


@pytest.mark.parametrize(("size_64", "truncated"), [(100, False), (5_000_000_000, True)])
def test_rf64_keeps_its_size_in_ds64(size_64: int, truncated: bool) -> None:
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, size_64, 0, 0)
    chunk = find_data(wav(UNKNOWN_32, before=ds64, magic=b"RF64"))
    assert chunk is not None
    assert chunk.promised_bytes == size_64
    assert chunk.truncated is truncated


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"OggS" + bytes(100), b"RIFF" + bytes(100), wav(100).getvalue()[:40]]
)
def test_no_wav_or_no_data_chunk(content: bytes) -> None:
    assert find_data(io.BytesIO(content)) is None


@pytest.mark.parametrize("step", [1, 3, 43, 1000])
def test_unbounded_data_changes_the_size_only(step: int) -> None:
    file = wav(0, riff_size=36)
    plain = file.getvalue()
    chunk = find_data(file)
    assert chunk is not None
    view = UnboundedData(file, chunk)
    view.seek(0)
    read = b""
    while part := view.read(step):
        read += part
        assert view.tell() == len(read)
    assert read == plain[:40] + b"\xff" * 4 + plain[44:]
