"""``python -m export unpack BUNDLE RECIPE``: a checkpoint again from a bundle's quantized graph.

So that a model which is only there as a bundle can teach another one, or be trained on. Each product's
weights are multiplied by their scales again; they differ from the trained ones by the rounding.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from edge_asr.arrays import Float32Array
from edge_asr.bundle import TOKENS, Bundle
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import BundleError
from export.checkpoint import MODEL_FILE, Checkpoint, FrontEnd, save_checkpoint
from export.net import create_network
from export.quantize.int4 import restore_blocks
from export.recipe import read_recipe

_PREFIX = "_network."
_PAIRS = "/attention/Gather_output_0"
"""Conformer's biases by pair of outputs: the exporter has looked them up by distance."""
_GATES = (0, 2, 3, 1)
"""Of torch (input, forget, cell, output) within ONNX (input, output, forget, cell)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export unpack``."""
    parser.add_argument("bundle", help="name of a packaged model, or a bundle's directory")
    parser.add_argument("recipe", type=Path, help="the recipe that made it, which says what network it is")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="run directory to write")


def run(args: argparse.Namespace) -> int:
    """Write ``model.pt``."""
    checkpoint = unpack(Bundle.load(args.bundle), args.recipe)
    args.out.mkdir(parents=True, exist_ok=True)
    save_checkpoint(args.out / MODEL_FILE, checkpoint)
    print(f"{args.out / MODEL_FILE}: {sum(w.numel() for w in checkpoint.weights.values()):,} weights")
    return 0


def unpack(bundle: Bundle, recipe_path: Path) -> Checkpoint:
    """The checkpoint that a bundle's graph was made of, but for rounding.

    Raises
    ------
    BundleError: the graph is not of the network that the recipe names.
    """
    recipe, config = read_recipe(recipe_path), bundle.config
    tokens = Tokens.load(bundle.path(TOKENS)).names
    options = {**recipe.network.options, "bins": len(config.cmvn.mean), "outputs": len(tokens)}
    expected = create_network(recipe.network.name, options).state_dict()
    found = graph_weights(bundle.path(config.acoustic.graph))
    wrong = sorted(
        name
        for name in {*expected, *found}
        if name not in found or name not in expected or found[name].shape != expected[name].shape
    )
    if wrong:
        raise BundleError(
            f"{bundle.directory}: expected the weights of {recipe.network.name!r} as {recipe_path} has it; "
            f"{wrong[0]!r} is missing, unknown or of another shape"
        )
    return Checkpoint(
        network=recipe.network.name,
        config=options,
        weights=found,
        front_end=FrontEnd(mfcc=config.mfcc, cmvn=config.cmvn),
        tokens=tokens,
        recipe=dataclasses.asdict(recipe),
        history=[],
    )


def graph_weights(path: Path) -> dict[str, Tensor]:
    """The ``state_dict`` behind a graph of export/quantize: its products in float again."""
    graph = onnx.load(path).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights: dict[str, Tensor] = {}
    for node in graph.node:
        module = _module(node.name)
        if node.op_type == "MatMulInteger":
            name = node.input[1].removesuffix("_quantized")
            weights[f"{module}.weight"] = torch.tensor(_floats(stored, name).T.copy())
        elif node.op_type == "MatMulNBits":
            inputs = next(a.i for a in node.attribute if a.name == "K")
            restored = restore_blocks(stored[node.input[1]], stored[node.input[2]], inputs)
            weights[f"{module}.weight"] = torch.tensor(restored.T.copy())
        elif node.op_type in ("Gemm", "MatMul") and node.input[1] in stored:  # left in float
            weights[f"{module}.weight"] = torch.tensor(stored[node.input[1]].T.copy())
        elif node.op_type == "DynamicQuantizeLSTM":
            weights |= {f"{module}.{name}": value for name, value in _lstm(stored, list(node.input))}
        for name in stored.keys() & set(node.input):
            if name.startswith(_PREFIX):
                # Equal tensors are stored once, under the name of one of their modules.
                weights[f"{module}.{name.rpartition('.')[2]}"] = torch.tensor(stored[name])
            elif name.endswith(_PAIRS):
                weights[f"{module}.distances"] = torch.tensor(_distances(stored[name]))
    return weights


def _module(node: str) -> str:
    """``layers.0.wide`` of ``/layers.0/wide/MatMul...`` or of ``/_network/layers.0/wide/MatMul...``."""
    path = ".".join(node.strip("/").split("/")[:-1])
    return path.removeprefix(_PREFIX).removesuffix(".MatMul")


def _distances(pairs: Float32Array) -> Float32Array:
    """Biases by distance (heads, chunk + window - 1) of those by pair (heads, chunk, window)."""
    return np.concatenate([pairs[:, 0, ::-1], pairs[:, 1:, 0]], axis=1)


def _floats(stored: dict[str, np.ndarray], name: str) -> Float32Array:
    """Whole numbers times their scales, one a column: of a product, (inputs, outputs)."""
    zero = stored[f"{name}_zero_point"].astype(np.float32)
    floats: Float32Array = stored[f"{name}_scale"] * (stored[f"{name}_quantized"].astype(np.float32) - zero)
    return floats


def _lstm(stored: dict[str, np.ndarray], inputs: list[str]) -> Iterator[tuple[str, Tensor]]:
    """Torch's four tensors of one layer."""

    def in_torch_order(rows: Float32Array) -> Tensor:
        quarters = np.split(rows, 4)
        return torch.tensor(np.concatenate([quarters[gate] for gate in _GATES]))

    for name, wanted in ((inputs[1], "weight_ih_l0"), (inputs[2], "weight_hh_l0")):
        yield wanted, in_torch_order(_floats(stored, name.removesuffix("_quantized"))[0].T)
    for bias, wanted in zip(np.split(stored[inputs[3]][0], 2), ("bias_ih_l0", "bias_hh_l0"), strict=True):
        yield wanted, in_torch_order(bias)
