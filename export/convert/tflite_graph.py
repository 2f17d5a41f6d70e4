"""From a checkpoint to TFLite files. Runs in the environment that ``python -m export tflite-env`` makes.

So it may import torch, litert_torch and ai_edge_quantizer, and of this project only what needs no more than
numpy and torch.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import litert_torch
import torch
from ai_edge_quantizer import qtyping, quantizer
from torch import Tensor

from edge_asr.acoustic.litert import SIGNATURE
from edge_asr.acoustic.tflite_file import FLOAT32, FULLY_CONNECTED, TfliteFile
from edge_asr.errors import EdgeAsrError
from export.checkpoint import MODEL_FILE, load_checkpoint
from export.net.network import Network
from export.rundir import INT8_TFLITE, TFLITE

GRANULARITIES = {
    "channel": qtyping.QuantGranularity.CHANNELWISE,
    "tensor": qtyping.QuantGranularity.TENSORWISE,
}
"""How many weights share a scale."""


class _Step(torch.nn.Module):
    """``network.step`` with named arguments and results; the converter takes the names over."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network
        self._states = tuple(network.state_shapes())

    def forward(self, features: Tensor, **states: Tensor) -> dict[str, Tensor]:
        log_probs, *after = self._network.step(features, *(states[f"{name}_in"] for name in self._states))
        named = {f"{name}_out": state for name, state in zip(self._states, after, strict=True)}
        return {"log_probs": log_probs, **named}


def export_step(network: Network, path: Path, *, bins: int, chunk_frames: int) -> None:
    """Write ``step(features, NAME_in...) -> log_probs, NAME_out...``, all shapes fixed, float32.

    Parameters
    ----------
    bins: values in one feature frame.
    chunk_frames: feature frames per step, which the network can take.
    """
    arguments = {"features": torch.zeros(chunk_frames, bins)}
    arguments |= {f"{name}_in": torch.zeros(shape) for name, shape in network.state_shapes().items()}
    model = litert_torch.signature(SIGNATURE, _Step(network).eval(), sample_kwargs=arguments).convert()
    model.export(str(path))


def quantize(graph: Path, path: Path, *, granularity: str, keep_float: Collection[str] = ()) -> None:
    """Write a copy of ``graph`` with int8 weights in its products; activations are quantized as they come.

    Only products: interpreters answer garbage to some other operators (edge_asr/acoustic/litert.py).

    Parameters
    ----------
    granularity: a name of ``GRANULARITIES``.
    keep_float: names of modules of the network that stay as they are.

    Raises
    ------
    EdgeAsrError: the graph has no product of a module that is to stay, or another product with fixed weights
        stayed in float, so that the graph would be neither small nor fast.
    """
    products = float_products(graph)
    for module in keep_float:
        if not any(re.search(_of([module]), name) for name in products):
            raise EdgeAsrError(
                f"{graph}: no product of the module {module!r}; there are {', '.join(products)}"
            )
    work = quantizer.Quantizer(str(graph))
    work.add_dynamic_config(
        regex=f"^(?!.*{_of(keep_float)})" if keep_float else ".*",
        operation_name=qtyping.TFLOperationName.FULLY_CONNECTED,
        num_bits=8,
        granularity=GRANULARITIES[granularity],
    )
    work.quantize().export_model(str(path), overwrite=True)
    path.chmod(graph.stat().st_mode)  # it comes as a program
    left = [n for n in float_products(path) if not (keep_float and re.search(_of(keep_float), n))]
    if left:
        raise EdgeAsrError(f"{path}: not quantized: {', '.join(left)}")


def float_products(graph: Path) -> list[str]:
    """Names of what products with float weights write."""
    return [
        operator.outputs[0].name
        for operator in TfliteFile.read(graph).operators
        if operator.code == FULLY_CONNECTED
        and operator.inputs[1].constant
        and operator.inputs[1].type == FLOAT32
    ]


def _of(modules: Collection[str]) -> str:
    """Finds a module in the name of a tensor: ``_Step/CLASS__network/CLASS_MODULE;``.

    The network itself is left out where its ``step`` does not go through ``__call__``.
    """
    return rf"_Step/(?:[\w.]+__network/)?[\w.]+_(?:{'|'.join(map(re.escape, modules))})\b"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both files into the run directory of the first argument."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--chunk-frames", type=int, required=True)
    parser.add_argument("--granularity", choices=GRANULARITIES, required=True)
    parser.add_argument("--keep-float", nargs="*", default=[])
    args = parser.parse_args(arguments)
    checkpoint = load_checkpoint(args.run_dir / MODEL_FILE)
    graph, int8_graph = args.run_dir / TFLITE, args.run_dir / INT8_TFLITE
    export_step(checkpoint.restore(), graph, bins=checkpoint.front_end.bins, chunk_frames=args.chunk_frames)
    quantize(graph, int8_graph, granularity=args.granularity, keep_float=args.keep_float)
    return 0
