"""Operators that move values without computing any; most give a view."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from edge_asr.acoustic.inference.onnx_file import DTYPES
from edge_asr.acoustic.inference.operators.call import Call, Kernel, UnsupportedError, sizes
from edge_asr.arrays import AnyArray, native


def reshape(call: Call) -> Kernel:
    """Reshape; 0 copies a size, -1 is what is left."""
    call.require("allowzero", 0)
    known = call.constant(1)

    def resolved(x: AnyArray, shape: AnyArray) -> AnyArray:
        wanted = [int(n) for n in shape]
        return x.reshape([n or x.shape[i] for i, n in enumerate(wanted)])

    if known is None or not known.all():
        return resolved
    shape = tuple(int(n) for n in known)
    return lambda x, _: x.reshape(shape)


def unsqueeze(call: Call) -> Kernel:
    """Unsqueeze."""
    axes = tuple(int(n) for n in call.fixed(1, "axes"))
    if axes == (0,):
        return lambda x, _: x[None]
    return lambda x, _: np.expand_dims(x, axes)


def squeeze(call: Call) -> Kernel:
    """Squeeze; all sizes of 1 where no axes are said."""
    axes = tuple(int(n) for n in call.fixed(1, "axes")) if call.given(1) else None
    return lambda x, _=None: x.squeeze(axes)


def transpose(call: Call) -> Kernel:
    """Transpose."""
    axes = call.attribute("perm")
    return lambda x: x.transpose(axes)


def identity(_: Call) -> Kernel:
    """Identity."""
    return lambda x: x


def cast(call: Call) -> Kernel:
    """Cast."""
    number = call.attribute("to")
    call.require("saturate", 1)  # only matters for types of 8-bit floats
    if number not in DTYPES:
        raise UnsupportedError(f"to={number!r} is not supported")
    dtype = np.dtype(DTYPES[number])
    return lambda x: x.astype(dtype)


def concat(call: Call) -> Kernel:
    """Concat."""
    axis = call.attribute("axis")
    return lambda *parts: np.concatenate(parts, axis)


def slice_(call: Call) -> Kernel:
    """Slice(data, starts, ends, axes, steps); Python's slices clamp as ONNX asks."""

    def index(starts: AnyArray, ends: AnyArray, axes: AnyArray | None, steps: AnyArray | None) -> Any:
        numbers = range(len(starts)) if axes is None else [int(axis) for axis in axes]
        strides = [1] * len(starts) if steps is None else [int(step) for step in steps]
        if min(numbers) < 0 < len(numbers) - 1:
            raise UnsupportedError("several axes, one of them negative, are not supported")
        if min(numbers) < 0:
            part = slice(int(starts[0]), int(ends[0]), strides[0])
            return (..., part, *[slice(None)] * (-1 - numbers[0]))
        places = [slice(None)] * (max(numbers) + 1)
        for axis, start, end, step in zip(numbers, starts, ends, strides, strict=True):
            places[axis] = slice(int(start), int(end), step)
        return tuple(places)

    known = [call.constant(number) for number in range(1, 5)]
    if all((array is not None) == call.given(number) for number, array in enumerate(known, start=1)):
        place = index(call.fixed(1, "starts"), call.fixed(2, "ends"), *known[2:])
        return lambda x, *_: x[place]

    def at_run_time(
        x: AnyArray, starts: AnyArray, ends: AnyArray, axes: Any = None, steps: Any = None
    ) -> AnyArray:
        view: AnyArray = x[index(starts, ends, axes, steps)]
        return view

    return at_run_time


def split(call: Call) -> Kernel:
    """Split into parts of the given sizes, or into as many equal ones as there are outputs."""
    axis, count = call.attribute("axis", 0), len(call.node.outputs)
    if call.attribute("num_outputs", count) != count:
        raise UnsupportedError("num_outputs is not the number of outputs")
    lengths = call.fixed(1, "sizes of parts") if call.given(1) else None
    if lengths is not None and len(lengths) != count:
        raise UnsupportedError(f"{len(lengths)} sizes for {count} outputs")

    def parts(x: AnyArray, _: Any = None) -> AnyArray | list[AnyArray]:
        if lengths is None:
            ends = np.minimum(np.arange(1, count) * -(-x.shape[axis] // count), x.shape[axis])
        else:
            if lengths.sum() != x.shape[axis]:
                raise ValueError(f"parts of {lengths.tolist()} do not add up to {x.shape[axis]}")
            ends = lengths.cumsum()[:-1]
        bounds = [0, *ends.tolist(), x.shape[axis]]
        before = (slice(None),) * (axis % x.ndim)
        made = [x[(*before, slice(a, b))] for a, b in pairwise(bounds)]
        return made if count > 1 else made[0]

    return parts


def gather(call: Call) -> Kernel:
    """Gather; a view where the index is one fixed number."""
    axis, index = call.attribute("axis", 0), call.constant(1)
    if index is not None and index.ndim == 0 and axis >= 0:
        place = (*[slice(None)] * axis, int(index))
        return lambda x, _: x[place]
    return lambda x, indices: np.take(x, native(indices), axis)


def shape(call: Call) -> Kernel:
    """Shape."""
    start, end = call.attribute("start", 0), call.attribute("end")
    return lambda x: np.array(x.shape[start:end], dtype=np.int64)


def constant_of_shape(call: Call) -> Kernel:
    """ConstantOfShape."""
    value = call.attribute("value", np.zeros(1, dtype=np.float32))
    return lambda wanted: np.full(sizes(wanted), value.reshape(()), dtype=value.dtype)


def expand(_: Call) -> Kernel:
    """Expand: both shapes give way where they say 1."""

    def expanded(x: AnyArray, wanted: AnyArray) -> AnyArray:
        return np.broadcast_to(x, np.broadcast_shapes(x.shape, sizes(wanted)))

    return expanded


def constant(call: Call) -> Kernel:
    """Constant."""
    for name, dtype in (("value_int", np.int64), ("value_ints", np.int64)):
        if (number := call.attribute(name)) is not None:
            array = np.array(number, dtype=dtype)
            return lambda: array
    for name, kind in (("value_float", np.float32), ("value_floats", np.float32)):
        if (number := call.attribute(name)) is not None:
            floats = np.array(number, dtype=kind)
            return lambda: floats
    value = call.attribute("value")
    if value is None:
        raise UnsupportedError("its value is of a kind that is not supported")
    return lambda: value
