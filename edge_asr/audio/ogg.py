"""Is an Ogg file whole? libsndfile plays what is there and does not complain."""

from __future__ import annotations

import os
from typing import BinaryIO

_HEADER_BYTES = 27
"""Page header before its segment table (RFC 3533, section 6)."""


def breaks_off(file: BinaryIO) -> bool:
    """True where a seekable Ogg file ends in the middle of a page.

    A file cut exactly between two pages passes: a missing end-of-stream mark alone does not make a file
    bad (RFC 7845, section 3), since recorders that were switched off leave none. So does one with
    something else than a page in it, which is for the decoder to judge.
    """
    file_bytes = file.seek(0, os.SEEK_END)
    position = 0
    while position < file_bytes:
        file.seek(position)
        header = file.read(_HEADER_BYTES)
        if header[:4] != b"OggS"[: len(header)]:
            return False
        if len(header) < _HEADER_BYTES:
            return True
        segments = file.read(header[26])
        position += _HEADER_BYTES + header[26] + sum(segments)
    return position > file_bytes
