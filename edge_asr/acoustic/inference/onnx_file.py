"""What an inference graph is made of, read from an ONNX file.

Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3. What this reader would have to pass
over to go on (weights in other files, sparse weights, functions, graphs within graphs) is an error instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_asr.acoustic.inference.protobuf import Message, WireError
from edge_asr.arrays import AnyArray
from edge_asr.errors import BundleError

DTYPES: dict[int, type[np.generic]] = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    4: np.uint16,
    5: np.int16,
    6: np.int32,
    7: np.int64,
    9: np.bool_,
    10: np.float16,
    11: np.float64,
    12: np.uint32,
    13: np.uint64,
}
"""ONNX's number of a type of elements -> NumPy's type."""

_NAMES = {np.float32: "float", np.float64: "double", np.float16: "float16"}
_IN_32_BITS = (2, 3, 4, 5, 6, 9, 10)
"""Types whose values, if not raw, stand in ``int32_data``."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """Type of an input or output of the whole graph."""

    kind: str
    """As onnxruntime says it: ``tensor(float)``."""
    shape: tuple[int | str | None, ...]
    """Sizes; a name or None where the size is only known when it runs."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operator."""

    name: str
    """What the exporter called it; may be empty."""
    operator: str
    """``MatMul``; those of another domain than ONNX's own with it: ``com.microsoft.MatMulNBits``."""
    inputs: tuple[str, ...]
    """Names of values; empty where an input is left out."""
    outputs: tuple[str, ...]
    """Names of values; empty where nobody asks for an output."""
    attributes: dict[str, Any]
    """Numbers, strings, lists of them, or arrays."""


@dataclass(frozen=True, kw_only=True)
class OnnxGraph:
    """An inference graph as it stands in the file."""

    opset: int
    """Version of ONNX's own operators."""
    nodes: tuple[Node, ...]
    """In an order in which they can run."""
    weights: dict[str, AnyArray]
    """Arrays that the file brings."""
    inputs: dict[str, Value]
    """What must be given."""
    outputs: dict[str, Value]
    """What comes out."""
    metadata: dict[str, str]
    """What the file says about itself."""


def read_onnx(path: Path) -> OnnxGraph:
    """Read a file.

    Raises
    ------
    BundleError: there is none, it is no ONNX file, it is damaged, or has what this reader does not know.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror}); fetch the bundle again") from error
    try:
        return parse_onnx(data)
    except WireError as error:
        raise BundleError(
            f"{path}: expected an ONNX inference graph: {error}; fetch or pack the bundle again"
        ) from error


def parse_onnx(data: bytes) -> OnnxGraph:
    """The graph in ``data``.

    Raises
    ------
    WireError: see :func:`read_onnx`.
    """
    model = Message(memoryview(data))
    opsets = {message.text(1): message.integer(2) for message in model.messages(8)}
    graph = model.message(7)
    opset = opsets.get("", opsets.get("ai.onnx"))
    if opset is None or not graph.messages(1):
        raise WireError("no operators in it")
    if model.messages(25) or graph.messages(15):
        raise WireError("functions and sparse weights are not supported")
    weights = dict(_tensor(message) for message in graph.messages(5))
    return OnnxGraph(
        opset=opset,
        nodes=tuple(_node(message) for message in graph.messages(1)),
        weights=weights,
        inputs={m.text(1): _value(m) for m in graph.messages(11) if m.text(1) not in weights},
        outputs={m.text(1): _value(m) for m in graph.messages(12)},
        metadata={m.text(1): m.text(2) for m in model.messages(14)},
    )


def _node(message: Message) -> Node:
    domain = message.text(7)
    operator = message.text(4)
    return Node(
        name=message.text(3),
        operator=operator if domain in ("", "ai.onnx") else f"{domain}.{operator}",
        inputs=tuple(message.texts(1)),
        outputs=tuple(message.texts(2)),
        attributes=dict(_attribute(attribute) for attribute in message.messages(5)),
    )


def _attribute(message: Message) -> tuple[str, Any]:
    name, kind = message.text(1), message.integer(20)
    if kind not in _ATTRIBUTES:
        raise WireError(f"attribute {name!r} is of a kind ({kind}) that is not supported")
    return name, _ATTRIBUTES[kind](message)


_ATTRIBUTES: dict[int, Callable[[Message], Any]] = {
    1: lambda message: (message.floats(2) or [0.0])[-1],
    2: lambda message: message.integer(3),
    3: lambda message: message.text(4),
    4: lambda message: _tensor(message.message(5))[1],
    6: lambda message: message.floats(7),
    7: lambda message: message.integers(8),
    8: lambda message: message.texts(9),
}
"""Kind of an attribute -> its value: a number, a string, an array, or a list."""


def _tensor(message: Message) -> tuple[str, AnyArray]:
    """Name and array."""
    name, number = message.text(8), message.integer(2)
    shape = tuple(message.integers(1))
    if number not in DTYPES:
        raise WireError(f"weights {name!r} are of a type ({number}) that is not supported")
    if message.integer(14) or message.messages(13):
        raise WireError(f"weights {name!r} stand in another file, which is not supported")
    dtype = np.dtype(DTYPES[number])
    raw = message.data(9)
    if raw is not None:
        if len(raw) % dtype.itemsize:
            raise WireError(f"weights {name!r} have {len(raw)} bytes, no whole number of {dtype}")
        values: AnyArray = np.frombuffer(raw, dtype=dtype.newbyteorder("<"))
    elif number == 1:
        values = np.array(message.floats(4), dtype=dtype)
    elif number == 7:
        values = np.array(message.integers(7), dtype=dtype)
    elif number in _IN_32_BITS:
        small = np.array(message.integers(5), dtype=np.int64)
        values = small.astype(np.uint16).view(np.float16) if number == 10 else small.astype(dtype)
    else:
        raise WireError(f"weights {name!r} are written in a way that is not supported")
    if min(shape, default=0) < 0 or math.prod(shape) != values.size:
        raise WireError(f"weights {name!r} of shape {shape} have {values.size} values")
    # A copy: aligned, and the bytes of the whole file can be let go.
    return name, values.reshape(shape).astype(dtype)


def _value(message: Message) -> Value:
    tensor = message.message(2).message(1)
    dtype = DTYPES.get(tensor.integer(1))
    kind = "unknown" if dtype is None else _NAMES.get(dtype, np.dtype(dtype).name)
    sizes: list[int | str | None] = []
    for dimension in tensor.message(2).messages(1):
        known = dimension.integers(1)
        sizes.append(known[-1] if known else dimension.text(2) or None)
    return Value(kind=f"tensor({kind})", shape=tuple(sizes))
