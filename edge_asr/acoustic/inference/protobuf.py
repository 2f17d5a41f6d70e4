"""The wire format of protocol buffers, as much of it as reading takes.

Source: https://protobuf.dev/programming-guides/encoding. Nothing is copied: a nested message is a view into
the bytes around it. Every length is checked against what is there, so that damaged bytes raise and never
ask for memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. 3 and 4, groups, are long out of use; ONNX has none."""

_MOST_VARINT_BYTES = 10
_MOST_FIELD = 1 << 29


class WireError(ValueError):
    """Bytes that are no message: cut short, or something else."""


class Message:
    """The fields of one message by number, each with its values in the order of the bytes.

    Parameters
    ----------
    data: all bytes of the message.

    Raises
    ------
    WireError: the bytes are no message.
    """

    def __init__(self, data: memoryview) -> None:
        self._fields: dict[int, list[int | memoryview]] = {}
        for number, value in _fields(data):
            self._fields.setdefault(number, []).append(value)

    def messages(self, number: int) -> list[Message]:
        """Nested messages of a field."""
        return [Message(view) for view in self._views(number)]

    def message(self, number: int) -> Message:
        """The nested message of a field; an empty one where it is absent."""
        return ([*self.messages(number)] or [Message(memoryview(b""))])[-1]

    def data(self, number: int) -> memoryview | None:
        """Bytes of a field, None where it is absent."""
        views = [*self._views(number)]
        return views[-1] if views else None

    def texts(self, number: int) -> list[str]:
        """Strings of a field."""
        try:
            return [str(view, "utf-8") for view in self._views(number)]
        except UnicodeDecodeError as error:
            raise WireError(f"field {number} is no text: {error.reason}") from error

    def text(self, number: int) -> str:
        """The string of a field, empty where it is absent."""
        return ([*self.texts(number)] or [""])[-1]

    def integers(self, number: int) -> list[int]:
        """Signed 64-bit numbers of a field, whether packed or not."""
        numbers: list[int] = []
        for value in self._fields.get(number, ()):
            if isinstance(value, int):
                numbers.append(value)
                continue
            at = 0
            while at < len(value):
                one, at = _varint(value, at)
                numbers.append(one)
        return [n - (1 << 64) if n >> 63 else n for n in numbers]

    def integer(self, number: int, default: int = 0) -> int:
        """The signed 64-bit number of a field."""
        return ([*self.integers(number)] or [default])[-1]

    def floats(self, number: int) -> list[float]:
        """32-bit floats of a field, whether packed or not."""
        packed = b"".join(
            struct.pack("<I", value) if isinstance(value, int) and value < 1 << 32 else _buffer(value, number)
            for value in self._fields.get(number, ())
        )
        if len(packed) % 4:
            raise WireError(f"field {number} holds {len(packed)} bytes, no whole number of floats")
        return list(struct.unpack(f"<{len(packed) // 4}f", packed))

    def _views(self, number: int) -> Iterator[memoryview]:
        for value in self._fields.get(number, ()):
            yield _buffer(value, number)


def _buffer(value: int | memoryview, number: int) -> memoryview:
    if isinstance(value, int):
        raise WireError(f"field {number} is a number where bytes were expected")
    return value


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: an unsigned number, or the bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if not 0 < number < _MOST_FIELD:
            raise WireError(f"a field cannot have the number {number}")
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == BYTES:
            length, at = _varint(data, at)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise WireError(f"field {number} is of the unknown wire type {kind}")
        end = at + length
        if end > len(data):
            raise WireError(f"field {number} should have {length} bytes, but only {len(data) - at} are left")
        view = data[at:end]
        yield number, view if kind == BYTES else int.from_bytes(view, "little")
        at = end


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """The unsigned number at ``at``, and where it ends: seven bits a byte, the last byte below 128."""
    value = 0
    for shift in range(0, 7 * _MOST_VARINT_BYTES, 7):
        if at >= len(data):
            raise WireError("the bytes end within a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise WireError(f"a number of more than {_MOST_VARINT_BYTES} bytes")
