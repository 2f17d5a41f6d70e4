"""Reading a grammar's bytes as text."""

from __future__ import annotations

import stat
from pathlib import Path

from edge_asr.errors import GrammarError, GrammarSizeError

MAX_BYTES = 8 * 1024 * 1024
"""No grammar is larger (a hundred thousand sentences take half of it); a disk image given by mistake is."""


def read_bytes(path: Path, what: str = "the grammar") -> bytes:
    """All bytes of the file; ``what`` it is stands in errors.

    Raises
    ------
    GrammarError: the file is missing, not readable, no file, or absurdly large.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise GrammarError(f"cannot read {what}: expected a file", source=str(path))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise GrammarError(f"cannot read {what}: {error.strerror or error}", source=str(path)) from error
    if len(data) > MAX_BYTES:
        size = max(path.stat().st_size, len(data))
        message = f"{what} is too large: expected up to {MAX_BYTES:,} bytes, got {size:,}"
        raise GrammarSizeError(message, source=path.name)
    return data


def decode(data: bytes, name: str, encoding: str = "utf-8-sig") -> str:
    """Text of the bytes; a byte-order mark is dropped.

    Raises
    ------
    GrammarError: the bytes are not in that encoding, with the line of the first bad one; or it is none.
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
    except (LookupError, ValueError) as error:
        # Python also knows codecs between texts and between bytes, and some that are never content.
        raise GrammarError(f"cannot read it as {encoding}: {error}", source=name, line=1) from error


def read_utf8(path: Path, what: str = "the grammar") -> str:
    """The file as text; ``what`` it is stands in errors.

    Raises
    ------
    GrammarError: as ``read_bytes`` and ``decode``.
    """
    return decode(read_bytes(path, what), path.name)
