"""``python -m export g2p-convert RUN_DIR``: a letter-to-phone model as ONNX with int8 weights.

Only the weights are int8, a scale for each output; the arithmetic stays float32. Activations that are
quantized as they come, as in acoustic models, would share one scale among all words of a batch: a
word's pronunciation would depend on its company.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization.shape_inference import quant_pre_process

from edge_asr.bundle import G2P
from edge_asr.decoder.g2p import LETTERS_KEY, TOKENS_KEY, G2p
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import BundleError, EdgeAsrError
from export.convert.onnx import OPSET, quiet_exporter
from export.dictionary import Dictionary
from export.g2p.checkpoint import G2pCheckpoint, load_g2p
from export.g2p.guess import letter_numbers
from export.g2p.score import Errors, count_errors
from export.g2p.words import DictionaryWord, split_words

HELD_OUT_KEY = "held_out"
"""Metadata of the file: what it got wrong of the words that it never learned, as JSON."""
MAX_BYTES = 1_500_000
"""What a bundle on a small device can spare for it."""
_WORTH_IT = 1024
"""Weights below this many numbers stay as they are."""


def convert(checkpoint: G2pCheckpoint, path: Path, held_out: list[DictionaryWord]) -> Errors:
    """Write the ONNX file; what it gets wrong of ``held_out`` is returned and written into it.

    Raises
    ------
    EdgeAsrError: the file is larger than MAX_BYTES.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        traced, folded, partial = (Path(scratch) / f"{stage}.onnx" for stage in ("traced", "folded", "int8"))
        with quiet_exporter():
            torch.onnx.export(
                checkpoint.restore(),
                (letter_numbers(["word"], checkpoint.letters),),
                traced,
                input_names=["letters"],
                output_names=["log_probs"],
                dynamic_axes={"letters": {0: "words", 1: "length"}, "log_probs": {0: "words", 1: "frames"}},
                opset_version=OPSET,
                dynamo=False,
            )
        quant_pre_process(traced, folded, skip_symbolic_shape=True)
        model = onnx.load(folded)
        pack_weights(model.graph)
        said = {LETTERS_KEY: checkpoint.letters, TOKENS_KEY: " ".join(checkpoint.tokens)}
        onnx.helper.set_model_props(model, said)
        onnx.save(model, partial)
        errors = measure(G2p(partial, Tokens(checkpoint.tokens)), held_out)
        onnx.helper.set_model_props(model, said | {HELD_OUT_KEY: json.dumps(asdict(errors))})
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, partial)
        if partial.stat().st_size > MAX_BYTES:
            raise EdgeAsrError(
                f"expected at most {MAX_BYTES} bytes, got {partial.stat().st_size}: train a smaller network"
            )
        os.replace(partial, path)
    return errors


def pack_weights(graph: onnx.GraphProto) -> None:
    """Replace the large weights of products by int8 numbers, a scale for each output and their product."""
    weights = {tensor.name: tensor for tensor in graph.initializer}
    packed: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        axis = {"MatMul": 1, "Gemm": _gemm_axis(node), "LSTM": 1}.get(node.op_type)
        for name in node.input[1:3]:
            if (
                axis is None
                or name not in weights
                or name in packed
                or np.prod(weights[name].dims) < _WORTH_IT
            ):
                continue
            values = numpy_helper.to_array(weights[name])
            scales = _scales(values, axis)
            graph.initializer.remove(weights[name])
            shape = [-1 if d == axis else 1 for d in range(values.ndim)]
            levels = np.round(values / scales.reshape(shape)).astype(np.int8)
            graph.initializer.append(numpy_helper.from_array(levels, f"{name}_int8"))
            graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scale"))
            packed[name] = [
                onnx.helper.make_node(
                    "DequantizeLinear",
                    [f"{name}_int8", f"{name}_scale"],
                    [name],
                    f"{name}_unpacked",
                    axis=axis,
                )
            ]
    unpacking = [node for nodes in packed.values() for node in nodes]
    nodes = [*unpacking, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _gemm_axis(node: onnx.NodeProto) -> int:
    """Axis of the outputs in a Gemm's weights."""
    transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    return 0 if transposed else 1


def _scales(values: np.ndarray, axis: int) -> np.ndarray:
    """(outputs,) what one step of each output's int8 numbers is worth."""
    others = tuple(d for d in range(values.ndim) if d != axis)
    scales = np.abs(values).max(axis=others) / 127
    return np.where(scales > 0, scales, 1).astype(np.float32)


def measure(g2p: G2p, words: list[DictionaryWord]) -> Errors:
    """What the runtime gets wrong of the words."""
    names = g2p.tokens.names
    guesses = [
        tuple(names[token] for token in way) for way in g2p.pronounce_all([word.word for word in words])
    ]
    return count_errors(words, guesses)


def held_out_errors(g2p: G2p) -> Errors:
    """What ``convert`` measured and wrote into the file.

    Raises
    ------
    BundleError: the file does not say.
    """
    try:
        return Errors(**json.loads(g2p.metadata[HELD_OUT_KEY]))
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(f"the letter-to-phone model does not say how it was measured: {error!r}") from error


def held_out_words(checkpoint: G2pCheckpoint) -> list[DictionaryWord]:
    """The words that the model never learned; errors as in ``Dictionary.load``."""
    recipe = checkpoint.recipe
    dictionary = Dictionary.load(Path(recipe.dictionary) if recipe.dictionary else None)
    return split_words(dictionary, share=recipe.held_out, seed=recipe.seed)[1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export g2p-convert``."""
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="directory that holds g2p.pt")


def run(args: argparse.Namespace) -> int:
    """Write ``g2p.onnx`` into the run directory."""
    checkpoint = load_g2p(args.run_dir)
    path = args.run_dir / G2P
    errors = convert(checkpoint, path, held_out_words(checkpoint))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {errors}")
    return 0
