"""Operators on whole numbers.

Products of 8-bit numbers are computed by the float BLAS, several times faster than NumPy multiplies whole
numbers, and exactly all the same: all products and sums are whole numbers, and float32 has every whole
number up to 2^24. Whether a sum can be larger is seen when the weights are loaded; then float64 computes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_asr.acoustic.inference.operators.call import Call, Kernel, UnsupportedError
from edge_asr.acoustic.inference.operators.products import multiply
from edge_asr.arrays import AnyArray, Float32Array

_EXACT = 1 << 24
"""All whole numbers up to this one are float32 numbers."""
_MOST = np.float32(255)
_RANGES = {np.dtype(np.uint8): (0, 255), np.dtype(np.int8): (-128, 127)}


def exact_weights(weights: AnyArray, zero_point: AnyArray | None) -> AnyArray:
    """Weights of 8 bits less their zero point, as floats with which ``multiply`` is exact.

    Parameters
    ----------
    weights: (inputs, outputs).
    zero_point: one, one for each output, or None for 0.

    Returns
    -------
    float32 (inputs, outputs) where no sum can reach 2^24: 1024 inputs by weights of 7 bits just fit
    (1024 * 255 * 64 = 16.7 million); what counts are the sums of the weights as they are. Else float64.
    """
    if weights.dtype not in (np.int8, np.uint8):
        raise UnsupportedError(f"weights of type {weights.dtype} are not supported")
    exact: AnyArray = weights.astype(np.float32)
    if zero_point is not None:
        exact -= zero_point.astype(np.float32)
    largest = np.abs(exact).sum(axis=0, dtype=np.float64).max(initial=0.0) * 255
    return exact if largest < _EXACT else exact.astype(np.float64)


def quantize_centred(x: Float32Array) -> tuple[Float32Array, np.float32]:
    """What DynamicQuantizeLinear does, its numbers less their zero point.

    Returns
    -------
    whole numbers in float32 of the shape of ``x``, within 255 of each other, and what 1 of them is worth.
    """
    least = np.minimum.reduce(x, axis=None, initial=0)
    scale = (np.maximum.reduce(x, axis=None, initial=0) - least) / _MOST
    if not scale > 0:
        return np.zeros_like(x) + scale, np.float32(1)  # a NaN stays one
    whole: Float32Array = x / scale
    np.rint(whole, out=whole)
    # Both ends may round away from each other; at the lower one the zero point rounds as x does.
    np.minimum(whole, _MOST + np.rint(least / scale), out=whole)
    return whole, scale


def dynamic_quantize_linear(_: Call) -> Kernel:
    """DynamicQuantizeLinear to uint8."""

    def quantized(x: Float32Array) -> tuple[AnyArray, AnyArray, AnyArray]:
        whole, scale = quantize_centred(x)
        zero_point = np.rint(-np.minimum.reduce(x, axis=None, initial=0) / scale).astype(np.uint8)
        return (whole + zero_point).astype(np.uint8), np.asarray(scale), np.asarray(zero_point)

    return quantized


def matmul_integer(call: Call) -> Kernel:
    """MatMulInteger by fixed weights, int32."""
    weights = call.fixed(1, "weights")
    if weights.ndim != 2:
        raise UnsupportedError(f"weights with {weights.ndim} axes are not supported")
    exact = exact_weights(weights, call.fixed(3, "the weights' zero point") if call.given(3) else None)
    inputs, outputs = exact.shape

    def product(x: AnyArray, _: Any, zero_point: AnyArray | None = None, __: Any = None) -> AnyArray:
        rows = x.reshape(-1, inputs).astype(exact.dtype)
        if zero_point is not None:
            rows -= zero_point
        return multiply(rows, exact).reshape(*x.shape[:-1], outputs).astype(np.int32)

    return product


def quantize_centred_kernel(_: Call) -> Kernel:
    """The first half of a quantized product (fusion.py)."""
    return quantize_centred


def scaled_product(call: Call) -> Kernel:
    """The second half: whole numbers, their scale, weights, zero point, the weights' scale, bias."""
    exact = exact_weights(call.fixed(2, "weights"), call.fixed(3, "zero point") if call.given(3) else None)
    scales = call.fixed(4, "scales").astype(np.float32)
    bias = call.fixed(5, "bias") if call.given(5) else None
    inputs, outputs = exact.shape

    def product(whole: Float32Array, scale: np.float32, *_: Any) -> Float32Array:
        rows = whole.reshape(-1, inputs)
        if exact.dtype == np.float32:
            y: Float32Array = multiply(rows, exact)
        else:
            y = multiply(rows.astype(np.float64), exact).astype(np.float32)
        y *= scale * scales
        if bias is not None:
            y += bias
        return y if whole.ndim == 2 else y.reshape(*whole.shape[:-1], outputs)

    return product


def _along(values: AnyArray, x: AnyArray, axis: int) -> AnyArray:
    """One value for all, or one for each place on ``axis``."""
    if values.size == 1:
        return values.reshape(())
    if values.ndim != 1:
        raise UnsupportedError("scales by blocks are not supported")
    return values.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])


def quantize_linear(call: Call) -> Kernel:
    """QuantizeLinear to int8 or uint8."""
    axis = call.attribute("axis", 1)
    call.require("saturate", 1)
    call.require("block_size", 0)
    call.require("output_dtype", 0)

    def quantized(x: AnyArray, scale: AnyArray, zero_point: AnyArray | None = None) -> AnyArray:
        dtype = np.dtype(np.uint8) if zero_point is None else zero_point.dtype
        whole = np.rint(x / _along(scale, x, axis))
        if zero_point is not None:
            whole += _along(zero_point, x, axis)
        if dtype not in _RANGES:
            raise UnsupportedError(f"numbers of type {dtype} are not supported")
        return np.clip(whole, *_RANGES[dtype]).astype(dtype)

    return quantized


def dequantize_linear(call: Call) -> Kernel:
    """DequantizeLinear; of fixed weights it is done once, when they are loaded."""
    axis = call.attribute("axis", 1)
    call.require("block_size", 0)
    call.require("output_dtype", 0, 1)

    def floats(x: AnyArray, scale: AnyArray, zero_point: AnyArray | None = None) -> AnyArray:
        whole = x.astype(scale.dtype)
        if zero_point is not None:
            whole -= _along(zero_point, x, axis)
        whole *= _along(scale, x, axis)
        return whole

    return floats


def matmul_n_bits(call: Call) -> Kernel:
    """MatMulNBits: weights of 4 or 8 bits with a scale for each block of a column, unpacked once.

    onnxruntime/docs/ContribOperators.md: weights (outputs, blocks, bytes), scales (outputs * blocks,), zero
    points packed like the weights, or in the middle of the range.
    """
    inputs, outputs, bits, block = (call.attribute(name) for name in ("K", "N", "bits", "block_size"))
    call.attribute("accuracy_level")  # how roughly it may be computed; we compute in float32
    if bits not in (4, 8) or call.given(4):
        raise UnsupportedError(f"bits={bits} or a group index are not supported")
    blocks = -(-inputs // block)

    def unpacked(packed: AnyArray, count: int) -> Float32Array:
        """(outputs, bytes) -> (outputs, count); the lower half of a byte comes first."""
        if bits == 8:
            return packed[:, :count].astype(np.float32)
        halves = np.stack([packed & 15, packed >> 4], axis=-1).reshape(len(packed), -1)
        return halves[:, :count].astype(np.float32)

    scales = call.fixed(2, "scales").reshape(outputs, blocks, 1)
    whole = unpacked(call.fixed(1, "weights").reshape(outputs, -1), blocks * block)
    middle: Any = np.float32(1 << (bits - 1))
    if call.given(3):
        middle = unpacked(call.fixed(3, "zero points").reshape(outputs, -1), blocks)[:, :, None]
    floats = (whole.reshape(outputs, blocks, block) - middle) * scales.astype(np.float32)
    weights = np.ascontiguousarray(floats.reshape(outputs, -1)[:, :inputs].T)

    def product(x: AnyArray, *rest: Any) -> AnyArray:
        y = multiply(x.reshape(-1, inputs), weights)
        if len(rest) > 4 and rest[4] is not None:
            y += rest[4]
        return y.reshape(*x.shape[:-1], outputs)

    return product
