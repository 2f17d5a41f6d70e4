"""What the header of a WAV file promises. libsndfile decodes WAV but does not complain of missing data."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

UNKNOWN_32 = 0xFFFF_FFFF
"""Size that a writer leaves when it cannot seek back (ffmpeg into a pipe); in RF64: look into ds64."""

_PLACEHOLDER_FROM = 0x7FFF_0000
"""Other writers leave 0x7FFFF000 (sox), 0x7FFFFFFF or 0x80000000 (arecord). So a WAV of two
gigabytes or more is not checked for truncation."""


@dataclass(frozen=True, kw_only=True)
class DataChunk:
    """Where the samples lie."""

    offset: int
    """Position of the first sample in the file, in bytes."""
    promised_bytes: int | None
    """Size according to the header; None where the writer could not know it."""
    present_bytes: int
    """What the file holds from ``offset`` on."""
    frame_bytes: int
    """Bytes per sample of all channels, or per block of a compressed coding."""
    size_is_zero: bool
    """The size was left at 0: libsndfile, which takes this literally, must be told otherwise."""

    @property
    def truncated(self) -> bool:
        """Whole frames are missing (a missing pad byte is harmless)."""
        if self.promised_bytes is None:
            return False
        return self.present_bytes // self.frame_bytes < self.promised_bytes // self.frame_bytes


def find_data(file: BinaryIO) -> DataChunk | None:
    """Walk the chunks of a seekable file up to ``data``; None where it is no WAV or has no such chunk.

    RIFF, RIFX (big-endian) and RF64/BW64 (EBU Tech 3306) are understood.
    """
    file_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    header = file.read(12)
    if len(header) < 12 or header[:4] not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or header[8:] != b"WAVE":
        return None
    order = ">" if header[:4] == b"RIFX" else "<"
    (riff_bytes,) = struct.unpack(f"{order}I", header[4:8])
    frame_bytes = 1
    size_64: int | None = None
    while len(head := file.read(8)) == 8:
        name, (size,) = head[:4], struct.unpack(f"{order}I", head[4:])
        start = file.tell()
        if name == b"data":
            written_to_pipe = size == 0 and start < file_bytes and _ends_by(riff_bytes, start)
            promised: int | None = size
            if size == UNKNOWN_32 and size_64:
                promised = size_64
            elif size >= _PLACEHOLDER_FROM or written_to_pipe:
                promised = None
            return DataChunk(
                offset=start,
                promised_bytes=promised,
                present_bytes=file_bytes - start,
                frame_bytes=frame_bytes,
                size_is_zero=written_to_pipe,
            )
        if name == b"fmt " and len(body := file.read(14)) == 14:
            frame_bytes = max(1, struct.unpack(f"{order}H", body[12:])[0])
        elif name == b"ds64" and len(body := file.read(16)) == 16:
            (size_64,) = struct.unpack("<Q", body[8:])
        file.seek(start + size + size % 2)
    return None


def _ends_by(riff_bytes: int, position: int) -> bool:
    """True where the RIFF size, too, says that nothing follows ``position``, or was never filled in.

    Tells a size of 0 that is a placeholder from an empty data chunk before further chunks.
    """
    return riff_bytes == UNKNOWN_32 or riff_bytes + 8 <= position


class UnboundedData:
    """A seekable binary file in which the size of the data chunk reads as unknown instead of 0."""

    def __init__(self, file: BinaryIO, chunk: DataChunk) -> None:
        self._file = file
        self._size_at = chunk.offset - 4

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        start = self._file.tell()
        data = bytearray(self._file.read(size))
        for position in range(max(start, self._size_at), min(start + len(data), self._size_at + 4)):
            data[position - start] = 0xFF
        return bytes(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as the file does."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the file is."""
        return self._file.tell()
