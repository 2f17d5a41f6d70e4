"""Products of matrices in float, and the convolution over time that is a sum of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_asr.acoustic.inference.operators.call import Call, Kernel, UnsupportedError
from edge_asr.arrays import AnyArray

FEW_ROWS = 6
"""Up to this many rows are multiplied one by one: BLAS copies the weights into another order before it
multiplies several, which costs more than reading them that often. By 1024 x 512, two rows take 49 us instead
of 161, six 154 instead of 199, eight 197 instead of 177."""


def multiply(rows: AnyArray, weights: AnyArray) -> AnyArray:
    """(n, inputs) times (inputs, outputs), both of one type; a new array."""
    if rows.shape[0] > FEW_ROWS:
        product: AnyArray = rows @ weights
        return product
    out = np.empty((rows.shape[0], weights.shape[1]), dtype=weights.dtype)
    for row, answer in zip(rows, out, strict=True):
        np.dot(row, weights, out=answer)
    return out


def matmul(call: Call) -> Kernel:
    """MatMul; fixed weights are multiplied by rows."""
    known = call.constant(1)
    if known is None or known.ndim != 2:
        return np.matmul
    weights = call.fixed(1, "weights")
    inputs, outputs = weights.shape

    def product(x: AnyArray, _: Any) -> AnyArray:
        if x.ndim == 1:
            alone: AnyArray = multiply(x[None], weights)[0]
            return alone
        return multiply(x.reshape(-1, inputs), weights).reshape(*x.shape[:-1], outputs)

    return product


def gemm(call: Call) -> Kernel:
    """Gemm: x times weights plus bias."""
    call.require("alpha", 1.0)
    call.require("beta", 1.0)
    call.require("transA", 0)
    turned = call.attribute("transB", 0)
    weights = call.fixed(1, "weights")
    weights = np.ascontiguousarray(weights.T) if turned else weights

    def product(x: AnyArray, _: Any, bias: AnyArray | None = None) -> AnyArray:
        y = multiply(x, weights)
        if bias is not None:
            y += bias
        return y

    return product


def convolution(call: Call) -> Kernel:
    """Conv over one axis, (batch, channels, steps): one product for each place of the kernel."""
    weights = call.fixed(1, "weights")
    if weights.ndim != 3:
        raise UnsupportedError(f"only one axis is supported, not {weights.ndim - 2}")
    call.require("auto_pad", "NOTSET")
    call.require("kernel_shape", list(weights.shape[2:]))
    groups = call.attribute("group", 1)
    [stride] = call.attribute("strides", [1])
    [spacing] = call.attribute("dilations", [1])
    before, after = call.attribute("pads", [0, 0])
    outputs, inputs, places = weights.shape
    if outputs % groups or min(before, after) < 0 or max(before, after) > 1 << 16:
        raise UnsupportedError("groups or pads that do not fit its weights")
    # (outputs, inputs, places) -> (groups, outputs / groups, inputs) of each place
    of_place = [
        np.ascontiguousarray(weights[:, :, p].reshape(groups, outputs // groups, inputs))
        for p in range(places)
    ]
    each_alone = inputs == 1 and outputs == groups

    def convolved(x: AnyArray, _: Any, bias: AnyArray | None = None) -> AnyArray:
        if before or after:
            x = np.pad(x, ((0, 0), (0, 0), (before, after)))
        batch, _channels, steps = x.shape
        span = steps - (places - 1) * spacing
        if span < 1:
            raise ValueError(f"{steps} steps are too few for a kernel of {places}")
        count = -(-span // stride)
        y = np.zeros((batch, groups, outputs // groups, count), dtype=weights.dtype)
        x = x.reshape(batch, groups, inputs, steps)
        for place, kernel in enumerate(of_place):
            start = place * spacing
            heard = x[..., start : start + span : stride]
            y += kernel * heard if each_alone else kernel @ heard
        y = y.reshape(batch, outputs, count)
        if bias is not None:
            y += bias[:, None]
        return y

    return convolved
