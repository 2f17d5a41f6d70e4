"""LSTM layers, in float and with weights of 8 bits.

S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997, as ONNX writes it: gates in the order input,
output, forget, cell; the hidden state is the output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edge_asr.acoustic.inference.operators.call import Call, Kernel, UnsupportedError
from edge_asr.acoustic.inference.operators.elementwise import sigmoid
from edge_asr.acoustic.inference.operators.products import multiply
from edge_asr.acoustic.inference.operators.quantized import exact_weights, quantize_centred
from edge_asr.arrays import AnyArray, Float32Array

_Product = Callable[[Float32Array], Float32Array]
"""(n, inputs) -> (n, 4 * hidden)."""


def lstm(call: Call) -> Kernel:
    """LSTM with weights (directions, 4 * hidden, inputs)."""
    weights, recurrent = call.fixed(1, "weights"), call.fixed(2, "recurrent weights")

    def by(matrix: AnyArray) -> _Product:
        turned = np.ascontiguousarray(matrix.T)
        return lambda rows: multiply(rows, turned)

    return _layer(call, [(by(w), by(r)) for w, r in zip(weights, recurrent, strict=True)])


def dynamic_quantize_lstm(call: Call) -> Kernel:
    """DynamicQuantizeLSTM (onnxruntime/docs/ContribOperators.md): weights (directions, inputs, 4 * hidden).

    The inputs of all steps are quantized together, the hidden state anew at each step.
    """
    of_input = _quantized(call, 1, 8, "weights")
    of_hidden = _quantized(call, 2, 10, "recurrent weights")
    return _layer(call, list(zip(of_input, of_hidden, strict=True)))


def _quantized(call: Call, at: int, scale_at: int, what: str) -> list[_Product]:
    """The products of each direction."""
    weights, scales = call.fixed(at, what), call.fixed(scale_at, f"scales of {what}")
    zero_points = call.fixed(scale_at + 1, f"zero points of {what}")

    def by(direction: int) -> _Product:
        exact = exact_weights(weights[direction], zero_points[direction])
        scale_of = scales[direction].astype(np.float32)

        def product(rows: Float32Array) -> Float32Array:
            whole, scale = quantize_centred(rows)
            y = multiply(whole.astype(exact.dtype, copy=False), exact).astype(np.float32, copy=False)
            y *= scale * scale_of
            return y

        return product

    return [by(direction) for direction in range(len(weights))]


def _layer(call: Call, products: list[tuple[_Product, _Product]]) -> Kernel:
    """Y, Y_h and Y_c of ONNX's operator; see there for the shapes."""
    hidden = call.attribute("hidden_size")
    direction = call.attribute("direction", "forward")
    call.require("layout", 0)
    call.require("input_forget", 0)
    if len(products) != (2 if direction == "bidirectional" else 1):
        raise UnsupportedError(f"direction={direction!r} with {len(products)} sets of weights")
    if call.given(4) or call.given(7):
        raise UnsupportedError("lengths of sequences and peepholes are not supported")
    biases: AnyArray = np.zeros((len(products), 4 * hidden), dtype=np.float32)
    if call.given(3):
        both = call.fixed(3, "biases")
        biases = both[:, : 4 * hidden] + both[:, 4 * hidden :]

    def run(x: Float32Array, *rest: Any) -> tuple[Float32Array, Float32Array, Float32Array]:
        steps, batch, inputs = x.shape
        starts = [rest[n] if len(rest) > n and rest[n] is not None else None for n in (4, 5)]
        shape = (len(products), batch, hidden)
        first_h, first_c = (np.zeros(shape, np.float32) if s is None else s for s in starts)
        y = np.empty((steps, *shape), dtype=np.float32)
        last_h, last_c = np.empty(shape, np.float32), np.empty(shape, np.float32)
        for d, (of_input, of_hidden) in enumerate(products):
            gates = (of_input(x.reshape(-1, inputs)) + biases[d]).reshape(steps, batch, -1)
            order = range(steps)
            backward = direction == "reverse" or d == 1
            h, c = first_h[d], first_c[d]
            for t in reversed(order) if backward else order:
                h, c = _cell(gates[t] + of_hidden(h), c)
                y[t, d] = h
            last_h[d], last_c[d] = h, c
        return y, last_h, last_c

    return run


def _cell(gates: Float32Array, cell: Float32Array) -> tuple[Float32Array, Float32Array]:
    """New hidden and cell (batch, hidden) of the four gates (batch, 4 * hidden)."""
    width = cell.shape[1]
    opened = sigmoid(gates[:, : 3 * width])
    cell = opened[:, 2 * width :] * cell + opened[:, :width] * np.tanh(gates[:, 3 * width :])
    return opened[:, width : 2 * width] * np.tanh(cell), cell
