"""Quantized products found in a graph, and put into two operators of our own.

``DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul by both scales -> Add`` becomes ``QuantizeCentred ->
ScaledProduct``, which never leaves float32: six passes over an array fewer, and no whole numbers that NumPy
multiplies slowly. The results are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from edge_asr.acoustic.inference.onnx_file import Node
from edge_asr.acoustic.inference.operators import QUANTIZE_CENTRED, SCALED_PRODUCT
from edge_asr.arrays import AnyArray

_FLOAT = 1
"""ONNX's number of float32."""


@dataclass(frozen=True)
class _Chain:
    """The nodes of one product, in their order."""

    nodes: tuple[Node, ...]
    product: Node


def fuse(
    nodes: Sequence[Node], constants: Mapping[str, AnyArray], outputs: Collection[str]
) -> tuple[Node, ...]:
    """The nodes with every quantized product that is one replaced; the others stay as they are.

    Parameters
    ----------
    nodes: in an order in which they can run; so is the result.
    constants: values known before it runs.
    outputs: values that the graph must give.
    """
    users: dict[str, list[Node]] = {}
    for node in nodes:
        for name in set(node.inputs):
            users.setdefault(name, []).append(node)
    replaced: dict[str, tuple[Node, ...]] = {}  # by the first output of the node that gives way
    for node in nodes:
        if node.operator != "DynamicQuantizeLinear":
            continue
        whole, scale, zero_point = node.outputs
        chains = [_chain(user, node, users, constants) for user in users.get(whole, [])]
        found = [chain for chain in chains if chain]
        inner = {name for chain in found for n in chain.nodes[:-1] for name in n.outputs}
        gone = {n.outputs[0] for chain in found for n in chain.nodes}
        others = [n for name in (scale, zero_point) for n in users.get(name, []) if n.outputs[0] not in gone]
        if len(found) < len(chains) or not found or others or not inner.isdisjoint(outputs):
            continue
        if not {whole, scale, zero_point}.isdisjoint(outputs):
            continue
        replaced[whole] = (
            Node(
                name=node.name,
                operator=QUANTIZE_CENTRED,
                inputs=node.inputs,
                outputs=(whole, scale),
                attributes={},
            ),
        )
        for chain in found:
            replaced |= {n.outputs[0]: () for n in chain.nodes}
            replaced[chain.nodes[-1].outputs[0]] = (chain.product,)
    return tuple(new for node in nodes for new in replaced.get(node.outputs[0], (node,)))


def _chain(
    multiply: Node, quantize: Node, users: Mapping[str, list[Node]], constants: Mapping[str, AnyArray]
) -> _Chain | None:
    """The product that begins at a user of the quantized values; None where it is another thing."""
    whole, scale, zero_point = quantize.outputs
    if multiply.operator != "MatMulInteger" or multiply.inputs[0] != whole:
        return None
    weights, *points = (*multiply.inputs[1:2], *multiply.inputs[3:4])
    if multiply.inputs[2:3] != (zero_point,) or not {weights, *filter(None, points)} <= constants.keys():
        return None
    if constants[weights].ndim != 2:
        return None
    cast = _only(users, multiply)
    if cast is None or cast.operator != "Cast" or cast.attributes.get("to") != _FLOAT:
        return None
    scaled = _only(users, cast)
    if scaled is None or scaled.operator != "Mul":
        return None
    by = [name for name in scaled.inputs if name != cast.outputs[0]]
    scales = [n for n in users.get(scale, []) if n.operator == "Mul" and [*n.outputs] == by]
    if not scales or len(users[by[0]]) > 1:
        return None
    of_weights = [name for name in scales[0].inputs if name != scale]
    if len(of_weights) != 1 or of_weights[0] not in constants:
        return None
    nodes, bias = [scales[0], multiply, cast, scaled], ""
    added = _only(users, scaled)
    if added is not None and added.operator == "Add":
        others = [name for name in added.inputs if name != scaled.outputs[0]]
        outputs = constants[weights].shape[1:]
        if len(others) == 1 and others[0] in constants and constants[others[0]].shape == outputs:
            nodes.append(added)
            bias = others[0]
    product = Node(
        name=multiply.name,
        operator=SCALED_PRODUCT,
        inputs=(whole, scale, weights, *(points or [""]), of_weights[0], bias),
        outputs=nodes[-1].outputs,
        attributes={},
    )
    return _Chain(tuple(nodes), product)


def _only(users: Mapping[str, list[Node]], node: Node) -> Node | None:
    """The one user of a node's output; None where there are several, or none."""
    found = users.get(node.outputs[0], [])
    return found[0] if len(found) == 1 else None
