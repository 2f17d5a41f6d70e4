"""The products of an exported graph: what has weights to quantize, by the torch module that it computes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import onnx

from edge_asr.errors import UsageError
from export.quantize.scope import belongs, module_of

Form = Literal["float", "int8", "int4"]
"""How the weights of a product are stored."""
OPERATORS = ("MatMul", "Gemm", "LSTM")
"""Those that onnxruntime has int8 kernels for."""
BLOCK = 32
"""Inputs of an output that share a scale in int4."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """One product with fixed weights."""

    module: str
    """Its path in the network, like ``layers.3.wide``."""
    node: str
    """Its node in the graph."""
    operator: str
    """MatMul, Gemm or LSTM."""
    inputs: int
    """Values that each output is a sum over."""
    outputs: int
    """How many sums; of an LSTM those of both its matrices."""

    @property
    def forms(self) -> tuple[Form, ...]:
        """What it can be stored in, largest first: onnxruntime has no int4 LSTM."""
        return ("float", "int8") if self.operator == "LSTM" else ("float", "int8", "int4")

    def size_bytes(self, form: Form) -> int:
        """Of its weights with their scales, without the bias."""
        if form == "float":
            return 4 * self.inputs * self.outputs
        if form == "int8":  # a float32 scale and a zero point an output
            return (self.inputs + 5) * self.outputs
        return -(-self.inputs // BLOCK) * (BLOCK // 2 + 4) * self.outputs


def products(model: onnx.ModelProto) -> list[Product]:
    """Those that may be quantized, in the order of the graph."""
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    found = []
    for node in model.graph.node:
        if node.op_type not in OPERATORS or node.input[1] not in shapes:
            continue
        shape = shapes[node.input[1]]
        if node.op_type == "LSTM":  # (1, 4 hidden, inputs) and (1, 4 hidden, hidden)
            outputs, inputs = shape[1], shape[2] + shapes[node.input[2]][2]
        else:
            inputs, outputs = shape
        found.append(
            Product(
                module=module_of(node.name),
                node=node.name,
                operator=node.op_type,
                inputs=inputs,
                outputs=outputs,
            )
        )
    return found


def float_products(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes that still multiply with float weights.

    A convolution with one kernel a channel counts as none: it has a few kilobytes of weights, and is
    slower in int8 than in float.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    depthwise = {tensor.name for tensor in model.graph.initializer if tensor.dims[1:2] == [1]}
    return [
        node.name or node.op_type
        for node in model.graph.node
        if node.op_type in (*OPERATORS, "GRU", "RNN", "Conv")
        and weights.intersection(node.input)
        and not (node.op_type == "Conv" and node.input[1] in depthwise)
    ]


def kept(model: onnx.ModelProto, names: Collection[str]) -> list[Product]:
    """The products in modules that are to stay in float.

    Raises
    ------
    UsageError: a name is of no module with a node in the graph.
    """
    modules = [module_of(node.name) for node in model.graph.node]
    for name in names:
        if not any(belongs(module, [name]) for module in modules):
            raise UsageError(f"--keep-float: the network has no module {name!r}")
    return [product for product in products(model) if belongs(product.module, names)]
