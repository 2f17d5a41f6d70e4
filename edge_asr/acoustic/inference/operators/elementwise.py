"""Operators that compute each value on its own, or along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_asr.acoustic.inference.operators.call import Call, Kernel, UnsupportedError
from edge_asr.arrays import AnyArray, Float32Array

_HALF = np.float32(0.5)


def plain(function: Any) -> Any:
    """A maker of kernels for a function of NumPy's that is the operator as it stands."""
    return lambda call: function


def divide(_: Call) -> Kernel:
    """Div; whole numbers are cut off towards zero."""

    def quotient(a: AnyArray, b: AnyArray) -> AnyArray:
        if a.dtype.kind == "f":
            return np.divide(a, b)
        whole: AnyArray = (np.abs(a) // np.abs(b) * np.sign(a) * np.sign(b)).astype(a.dtype)
        return whole

    return quotient


def relu(_: Call) -> Kernel:
    """Relu."""
    return lambda x: np.maximum(x, 0)


def sigmoid(x: Float32Array) -> Float32Array:
    """1 / (1 + e^-x), by way of tanh, which does not overflow."""
    y: Float32Array = np.tanh(x * _HALF)
    y += 1
    y *= _HALF
    return y


def clip(call: Call) -> Kernel:
    """Clip(x, least, most)."""
    return lambda x, least=None, most=None: x if least is None and most is None else np.clip(x, least, most)


def softmax(call: Call) -> Kernel:
    """Softmax."""
    axis = call.attribute("axis", -1)

    def shares(x: Float32Array) -> Float32Array:
        y = np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True))
        np.exp(y, out=y)
        y /= np.add.reduce(y, axis=axis, keepdims=True)
        return y

    return shares


def log_softmax(call: Call) -> Kernel:
    """LogSoftmax."""
    axis = call.attribute("axis", -1)

    def logs(x: Float32Array) -> Float32Array:
        y = np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True))
        y -= np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True))
        return y

    return logs


def layer_normalization(call: Call) -> Kernel:
    """LayerNormalization over the last axis (J. L. Ba et al., "Layer normalization", 2016)."""
    call.require("axis", -1)
    call.require("stash_type", 1)
    if len(call.node.outputs) > 1:
        raise UnsupportedError("mean and deviation as outputs are not supported")
    scale = call.fixed(1, "its weights")
    bias = call.fixed(2, "its biases") if call.given(2) else None
    share = np.float32(1 / scale.size)
    epsilon = np.float32(call.attribute("epsilon", 1e-5))

    def normalized(x: Float32Array, *_: Any) -> AnyArray:
        y: AnyArray = x - np.add.reduce(x, axis=-1, keepdims=True) * share
        variance = np.add.reduce(y * y, axis=-1, keepdims=True)
        variance *= share
        variance += epsilon
        y /= np.sqrt(variance)
        y *= scale
        if bias is not None:
            y += bias
        return y

    return normalized


def cumulative_sum(call: Call) -> Kernel:
    """CumSum(x, axis)."""
    call.require("exclusive", 0)
    call.require("reverse", 0)
    axis = int(call.fixed(1, "axis").reshape(()))
    return lambda x, _: np.add.accumulate(x, axis)


def reduce(function: Any) -> Any:
    """A maker of kernels that reduce over axes, which are an input, or before opset 18 an attribute."""

    def maker(call: Call) -> Kernel:
        keep = bool(call.attribute("keepdims", 1))
        call.require("noop_with_empty_axes", 0)
        axes = call.attribute("axes") or (call.fixed(1, "axes") if call.given(1) else None)
        along = None if axes is None else tuple(int(axis) for axis in axes)
        return lambda x, _=None: function(x, axis=along, keepdims=keep)

    return maker
