"""Reading a grammar's bytes as text."""

from __future__ import annotations

from pathlib import Path

from edge_asr.errors import GrammarError

MAX_BYTES = 64 * 1024 * 1024
"""No grammar is larger; a disk image given by mistake is."""


def read_bytes(path: Path) -> bytes:
    """All bytes of the file.

    Raises
    ------
    GrammarError: the file is missing, not readable, or absurdly large.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise GrammarError(
                f"expected a grammar below {MAX_BYTES:,} bytes, got {size:,}", source=path.name
            )
        return path.read_bytes()
    except OSError as error:
        raise GrammarError(f"cannot read the grammar: {error.strerror or error}", source=str(path)) from error


def decode(data: bytes, name: str, encoding: str = "utf-8-sig") -> str:
    """Text of the bytes; a byte-order mark is dropped.

    Raises
    ------
    GrammarError: the bytes are not in that encoding, with the line of the first bad one.
    """
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        shown = "UTF-8" if encoding.startswith("utf-8") else encoding
        raise GrammarError(
            f"expected {shown} text, got byte 0x{data[error.start]:02x}: save the file as UTF-8",
            source=name,
            line=line,
        ) from error


def read_utf8(path: Path) -> str:
    """The file as text.

    Raises
    ------
    GrammarError: as ``read_bytes`` and ``decode``.
    """
    return decode(read_bytes(path), path.name)
