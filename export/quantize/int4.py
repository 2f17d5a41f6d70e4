"""Weights of four bits: ``MatMulNBits``, an operator of onnxruntime's own.

Every ``BLOCK`` inputs of an output share a scale, the numbers are -8 to 7. With accuracy level 4 the runtime
rounds what the product is given to int8, block by block, and computes in whole numbers; without it the
weights are made floats again in every step, which is slower than the float product.

A product that is a Gemm, as the exporter's clean-up leaves all that have a bias, is split first: tools that
look for a MatMul find none, and quantize nothing without a word.

Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md, MatMulNBits.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from edge_asr.arrays import Float32Array
from edge_asr.errors import EdgeAsrError
from export.quantize.products import BLOCK

_DOMAIN = "com.microsoft"
_INT8_SUMS = 4
_SPLIT = "_MatMul"
"""What onnxruntime's int8 quantization adds to the name of a Gemm whose bias it has split off."""
_NARROWER = np.linspace(0.7, 1.0, 13, dtype=np.float32)
"""Scales that are tried, as shares of the one that reaches the largest weight: cutting that one a little
off often rounds all others better."""


def round_blocks(weights: Float32Array) -> tuple[NDArray[np.uint8], Float32Array]:
    """Round a product's weights, the scale of each block being the best of a few.

    Parameters
    ----------
    weights: (inputs, outputs).

    Returns
    -------
    (outputs, blocks, BLOCK) whole numbers from 0 to 15, 8 for zero, and (outputs, blocks) scales.
    """
    inputs, outputs = weights.shape
    blocks = -(-inputs // BLOCK)
    padded = np.zeros((outputs, blocks * BLOCK), dtype=np.float32)
    padded[:, :inputs] = weights.T
    groups = padded.reshape(outputs, blocks, BLOCK)
    largest = np.take_along_axis(groups, np.abs(groups).argmax(axis=2, keepdims=True), axis=2)
    full = np.where(largest == 0, np.float32(1), largest / -8)  # the largest weight becomes -8
    best = np.full((outputs, blocks, 1), np.inf, dtype=np.float32)
    scales = full
    for share in _NARROWER[::-1]:
        tried = full * share
        error = np.square(np.clip(np.rint(groups / tried), -8, 7) * tried - groups).sum(axis=2, keepdims=True)
        scales = np.where(error < best, tried, scales)
        best = np.minimum(best, error)
    whole = (np.clip(np.rint(groups / scales), -8, 7) + 8).astype(np.uint8)
    return whole, scales[:, :, 0].astype(np.float32)


def restore_blocks(packed: NDArray[np.uint8], scales: Float32Array, inputs: int) -> Float32Array:
    """The weights (inputs, outputs) of a ``MatMulNBits``: packed (outputs, blocks, BLOCK / 2), and scales."""
    outputs, blocks, _ = packed.shape
    whole = np.stack([packed & 15, packed >> 4], axis=3).reshape(outputs, blocks, BLOCK)
    groups = (whole.astype(np.float32) - 8) * scales.reshape(outputs, blocks, 1)
    weights: Float32Array = groups.reshape(outputs, -1)[:, :inputs].T
    return weights


def to_int4(model: onnx.ModelProto, nodes: Collection[str]) -> None:
    """Make the MatMul and Gemm ``nodes`` of a graph products of four-bit weights, in place.

    Raises
    ------
    EdgeAsrError: a node is not there, or none that can be made so.
    """
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    made: list[NodeProto] = []
    done: set[str] = set()
    for node in model.graph.node:
        name = node.name.removesuffix(_SPLIT)
        if name not in nodes:
            made.append(node)
            continue
        if node.op_type not in ("MatMul", "Gemm") or _changed(node):
            raise EdgeAsrError(f"{node.name}: expected a MatMul or a plain Gemm, got {node.op_type}")
        whole, scales = round_blocks(numpy_helper.to_array(stored[node.input[1]]))
        packed = whole[:, :, ::2] | (whole[:, :, 1::2] << 4)  # the even one in the lower half
        names = [f"{node.name}_weights_int4", f"{node.name}_scales"]
        model.graph.initializer.extend(
            [numpy_helper.from_array(packed, names[0]), numpy_helper.from_array(scales.reshape(-1), names[1])]
        )
        biased = len(node.input) > 2
        output = f"{node.name}_sums" if biased else node.output[0]
        made.append(
            helper.make_node(
                "MatMulNBits",
                [node.input[0], *names],
                [output],
                f"{node.name}_int4",
                domain=_DOMAIN,
                K=int(stored[node.input[1]].dims[0]),
                N=int(stored[node.input[1]].dims[1]),
                bits=4,
                block_size=BLOCK,
                accuracy_level=_INT8_SUMS,
            )
        )
        if biased:
            made.append(
                helper.make_node("Add", [output, node.input[2]], list(node.output), f"{node.name}_Add")
            )
        done.add(name)
    missing = sorted(set(nodes) - done)
    if missing:
        raise EdgeAsrError(f"not quantized to int4: {', '.join(missing)}")
    if not done:
        return
    del model.graph.node[:]
    model.graph.node.extend(made)
    used = {name for node in made for name in node.input}
    unused = [tensor for tensor in model.graph.initializer if tensor.name not in used]
    for tensor in unused:
        model.graph.initializer.remove(tensor)
    if not any(entry.domain == _DOMAIN for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))


def _changed(node: NodeProto) -> list[onnx.AttributeProto]:
    """Attributes that make a Gemm more than a product and a sum."""
    plain = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
    return [a for a in node.attribute if helper.get_attribute_value(a) != plain.get(a.name)]
