"""``python -m export convert RUN_DIR``: the network's ``step`` as ONNX, in float32 and in int8.

The TorchScript exporter is used although torch calls it deprecated: the graph of the newer one, with
an LSTM in it, fails shape inference and cannot be quantized (torch 2.13, onnxruntime 1.31), and it
takes twenty times as long.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

from edge_asr.errors import UsageError
from export.net.network import FixedChunk, Network
from export.quantize.graph import quantize
from export.quantize.record import QuantizationRecord, sha256_of, write_record
from export.rundir import GRAPH, INT8_GRAPH, RunDir

OPSET = 18
"""Has LayerNormalization (17); onnxruntime reads it since 1.14."""

CHUNK_FRAMES = 12
"""Frames per step of networks that take chunks of any length."""


class _Step(torch.nn.Module):
    """``network.step`` as the forward that an exporter traces."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def forward(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        return self._network.step(features, *states)


def export_step(network: Network, path: Path, *, bins: int, chunk_frames: int) -> None:
    """Write ``step(features, NAME_in...) -> log_probs, NAME_out...``, all shapes fixed, float32.

    Parameters
    ----------
    bins: values in one feature frame.
    chunk_frames: feature frames per step, a multiple of the network's subsampling.

    Raises
    ------
    UsageError: the network cannot take chunks of that length.
    """
    _check_chunk(network, chunk_frames)
    shapes = network.state_shapes()
    arguments = (torch.zeros(chunk_frames, bins), *(torch.zeros(shape) for shape in shapes.values()))
    with tempfile.TemporaryDirectory() as scratch, quiet_exporter():
        traced = Path(scratch) / "traced.onnx"
        torch.onnx.export(
            _Step(network).eval(),  # the exporter puts the mode back that it found, dropout and all
            arguments,
            traced,
            input_names=["features", *(f"{name}_in" for name in shapes)],
            output_names=["log_probs", *(f"{name}_out" for name in shapes)],
            opset_version=OPSET,
            dynamo=False,
        )
        # Folds the constants of the trace; what is left are standard operators.
        quant_pre_process(traced, path, skip_symbolic_shape=True)
    onnx.checker.check_model(onnx.load(path), full_check=True)


def chunk_frames_of(network: Network, asked: int | None) -> int:
    """Frames per step that were asked for, or the network's own, or the usual.

    Raises
    ------
    UsageError: the network cannot take chunks of that length.
    """
    if asked is None:
        asked = network.chunk_frames if isinstance(network, FixedChunk) else CHUNK_FRAMES
    _check_chunk(network, asked)
    return asked


def _check_chunk(network: Network, frames: int) -> None:
    if frames < 1 or frames % network.subsampling:
        raise UsageError(f"chunk frames must be a multiple of {network.subsampling}, got {frames}")
    if isinstance(network, FixedChunk) and frames != network.chunk_frames:
        raise UsageError(
            f"chunk frames must be {network.chunk_frames}, got {frames}: this network was trained on chunks "
            "of that length; leave --chunk-frames away, or train with another chunk_outputs"
        )


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Hold back what the exporter always says: it is deprecated, and traces what never varies here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", message="Exporting a model to ONNX with a batch_size other than 1")
        yield


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export convert``."""
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="directory that holds model.pt")
    parser.add_argument(
        "--chunk-frames",
        type=int,
        help="feature frames per step: fewer answer sooner and cost a little more "
        f"(default {CHUNK_FRAMES}, or what the network was trained on if it takes nothing else)",
    )
    parser.add_argument(
        "--weight-bits",
        type=int,
        choices=(7, 8),
        default=7,
        help="8 is a little more exact, but wrong on x86 without VNNI (default %(default)s)",
    )
    parser.add_argument(
        "--keep-float",
        nargs="*",
        default=["first", "second"],
        metavar="MODULE",
        help="modules whose weights stay float32 in the int8 graph (default: first second, the front, whose "
        "inputs differ most in size)",
    )


def run(args: argparse.Namespace) -> int:
    """Write ``acoustic.onnx`` and ``acoustic.int8.onnx`` into the run directory."""
    run_dir = RunDir.load(args.run_dir)
    network = run_dir.network
    chunk_frames = chunk_frames_of(network, args.chunk_frames)
    graph, int8_graph = run_dir.path / GRAPH, run_dir.path / INT8_GRAPH
    export_step(network, graph, bins=run_dir.checkpoint.front_end.bins, chunk_frames=chunk_frames)
    forms = quantize(graph, int8_graph, weight_bits=args.weight_bits, keep_float=args.keep_float)
    record = QuantizationRecord(
        graph_sha256=sha256_of(int8_graph),
        kind="dynamic",
        weight_bits=args.weight_bits,
        per_channel=True,
        forms=dict(forms),
    )
    write_record(int8_graph, record)
    for name in (GRAPH, INT8_GRAPH):
        run_dir.engine(name)
        print(f"{run_dir.path / name}: {(run_dir.path / name).stat().st_size / 1e6:.2f} MB")
    return 0
