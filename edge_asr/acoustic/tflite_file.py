"""What a TFLite file says of itself: signatures, tensors and operators, read without an interpreter.

An interpreter tells names and shapes, but not which kernels it will take for which kind of numbers, and some
of them are wrong (edge_asr/acoustic/litert.py). The file is a FlatBuffer: tables whose fields are found by
number, and everything else is an offset.

Sources: schema.fbs of LiteRT, version 3 of the format, for the numbers of the fields; "FlatBuffer internals"
of google/flatbuffers for the layout.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edge_asr.errors import BundleError

DEPTHWISE_CONV_2D, FULLY_CONNECTED = 4, 9
"""Numbers of the operators that a convolution with one kernel a channel and a product become."""
FLOAT32, INT8 = 0, 9
"""Numbers of the two types that matter here."""

_IDENTIFIER = b"TFL3"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One tensor of the graph."""

    name: str
    """Name; the converter makes it of the modules that the tensor comes from."""
    type: int
    """Number of the type of its values."""
    shape: tuple[int, ...]
    """Shape."""
    scales: int
    """Scales of its whole numbers: 0 where it has none, 1 a tensor, more a channel."""
    constant: bool
    """Whether the file holds its values."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator of the graph."""

    code: int
    """Which one, by its number in the format."""
    inputs: tuple[Tensor, ...]
    """What it reads; inputs that are left out are not in here."""
    outputs: tuple[Tensor, ...]
    """What it writes."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A function that the file offers."""

    inputs: Mapping[str, Tensor]
    """Arguments by name."""
    outputs: Mapping[str, Tensor]
    """Results by name."""


@dataclass(frozen=True, kw_only=True)
class TfliteFile:
    """The first subgraph of a file, and all functions that it is offered as."""

    signatures: Mapping[str, Signature]
    """Functions by name."""
    operators: tuple[Operator, ...]
    """Operators in the order of their run."""

    @classmethod
    def read(cls, path: Path) -> TfliteFile:
        """Parse a file.

        Raises
        ------
        BundleError: it is no TFLite file, is cut off, or has not just one subgraph.
        """
        try:
            return _parse(path.read_bytes())
        except OSError as error:
            raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, IndexError, struct.error) as error:
            raise BundleError(
                f"{path}: not a TFLite file, or a damaged one: {error}; convert again"
            ) from error


def _parse(data: bytes) -> TfliteFile:
    if data[4:8] != _IDENTIFIER:
        raise ValueError(f"expected the mark {_IDENTIFIER.decode()} at byte 4, got {data[4:8]!r}")
    model = _Table(data, _offset(data, 0))
    codes = [max(code.number(3, "i"), code.number(0, "b")) for code in model.tables(1)]
    full = [buffer.has(0) for buffer in model.tables(4)]
    subgraphs = model.tables(2)
    if len(subgraphs) != 1:
        raise ValueError(f"expected one subgraph, got {len(subgraphs)}")
    tensors = [_tensor(table, full) for table in subgraphs[0].tables(0)]

    def chosen(numbers: tuple[int, ...]) -> tuple[Tensor, ...]:
        return tuple(_at(tensors, number) for number in numbers if number != -1)

    def named(maps: list[_Table]) -> dict[str, Tensor]:
        return {entry.text(0): _at(tensors, entry.number(1, "I")) for entry in maps}

    return TfliteFile(
        signatures={
            table.text(2): Signature(inputs=named(table.tables(0)), outputs=named(table.tables(1)))
            for table in model.tables(7)
        },
        operators=tuple(
            Operator(
                code=_at(codes, table.number(0, "I")),
                inputs=chosen(table.numbers(1)),
                outputs=chosen(table.numbers(2)),
            )
            for table in subgraphs[0].tables(3)
        ),
    )


def _tensor(table: _Table, full: list[bool]) -> Tensor:
    quantization = table.table(4)
    return Tensor(
        name=table.text(3),
        type=table.number(1, "b"),
        shape=table.numbers(0),
        scales=quantization.length(2) if quantization else 0,
        constant=_at(full, table.number(2, "I")),
    )


def _at(items: list[T], number: int) -> T:
    if not 0 <= number < len(items):
        raise ValueError(f"number {number} of {len(items)}")
    return items[number]


def _offset(data: bytes, at: int) -> int:
    """Where the offset at ``at`` leads; it counts from its own place."""
    place: int = at + struct.unpack_from("<I", data, at)[0]
    return place


class _Table:
    """A table of the file; its fields have numbers, and defaults of 0 where they are left out."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        (self._size,) = struct.unpack_from("<H", data, self._fields)

    def _place(self, field: int) -> int:
        """Where the value of a field stands, 0 where it has none."""
        entry = 4 + 2 * field
        if entry >= self._size:
            return 0
        (relative,) = struct.unpack_from("<H", self._data, self._fields + entry)
        return self._at + relative if relative else 0

    def has(self, field: int) -> bool:
        """Whether the field is there."""
        return bool(self._place(field))

    def number(self, field: int, kind: str) -> int:
        place = self._place(field)
        return int(struct.unpack_from(f"<{kind}", self._data, place)[0]) if place else 0

    def length(self, field: int) -> int:
        """Elements of a vector, or bytes of a text."""
        place = self._place(field)
        return int(struct.unpack_from("<I", self._data, _offset(self._data, place))[0]) if place else 0

    def text(self, field: int) -> str:
        return self._vector(field, 1, lambda at, n: self._data[at : at + n].decode(), "")

    def numbers(self, field: int) -> tuple[int, ...]:
        """A vector of int32."""
        return self._vector(field, 4, lambda at, n: struct.unpack_from(f"<{n}i", self._data, at), ())

    def table(self, field: int) -> _Table | None:
        place = self._place(field)
        return _Table(self._data, _offset(self._data, place)) if place else None

    def tables(self, field: int) -> list[_Table]:
        """A vector of offsets to tables."""
        return self._vector(
            field,
            4,
            lambda at, n: [_Table(self._data, _offset(self._data, at + 4 * i)) for i in range(n)],
            [],
        )

    def _vector(self, field: int, item_bytes: int, read: Callable[[int, int], T], empty: T) -> T:
        """``read(start, elements)`` of a vector that lies within the file."""
        place = self._place(field)
        if not place:
            return empty
        start = _offset(self._data, place) + 4
        elements = self.length(field)
        if start + elements * item_bytes > len(self._data):
            raise ValueError(f"{elements} elements at byte {start} of {len(self._data)}")
        return read(start, elements)
