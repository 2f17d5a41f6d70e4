"""A run's directory: the checkpoint that training left, and the graphs made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_asr.acoustic import Engine
from edge_asr.acoustic.litert import SIGNATURE, LitertEngine
from edge_asr.acoustic.onnx import OnnxEngine, open_session
from edge_asr.acoustic.tflite_file import TfliteFile
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError, UsageError
from export.checkpoint import MODEL_FILE, Checkpoint, load_checkpoint
from export.net.engine import acoustic_config
from export.net.network import Network

GRAPH = "acoustic.onnx"
"""The network as trained, in float32."""
INT8_GRAPH = "acoustic.int8.onnx"
"""The network with 8-bit products: what a bundle ships."""
TFLITE = "acoustic.tflite"
"""The network as trained, in float32, for LiteRT."""
INT8_TFLITE = "acoustic.int8.tflite"
"""The network with 8-bit products for LiteRT: what a bundle may ship besides."""


@dataclass(frozen=True)
class RunDir:
    """A trained network with everything that belongs to it."""

    path: Path
    """The directory."""
    checkpoint: Checkpoint
    """Content of ``model.pt``."""
    network: Network
    """The network with its weights."""

    @classmethod
    def load(cls, path: Path) -> RunDir:
        """Read the checkpoint; errors as in :func:`load_checkpoint` and :meth:`Checkpoint.restore`."""
        checkpoint = load_checkpoint(path / MODEL_FILE)
        return cls(path, checkpoint, checkpoint.restore())

    def engine(self, graph: str) -> tuple[Engine, AcousticConfig]:
        """Load an exported graph with the configuration that the runtime needs for it.

        Raises
        ------
        UsageError: the graph has not been made yet.
        BundleError: it cannot be read, or does not fit the checkpoint.
        """
        path = self.path / graph
        tflite = path.suffix == ".tflite"
        if not path.is_file():
            command = "python -m export convert" + (" --to tflite" if tflite else "")
            raise UsageError(f"{path}: no such graph; make it with: {command} {self.path}")
        bins = self.checkpoint.front_end.bins
        shapes = _tflite_shapes(path) if tflite else _onnx_shapes(path)
        if "features" not in shapes:
            raise BundleError(f"{path}: expected an input 'features', got {', '.join(shapes)}; convert again")
        # The graph itself says so: its inputs have fixed shapes.
        config = acoustic_config(self.network, graph=graph, chunk_frames=int(shapes["features"][0]))
        return (LitertEngine if tflite else OnnxEngine)(path, config, bins=bins), config


def _onnx_shapes(graph: Path) -> dict[str, Sequence[int]]:
    return {node.name: node.shape for node in open_session(graph, threads=1).get_inputs()}


def _tflite_shapes(graph: Path) -> dict[str, Sequence[int]]:
    signature = TfliteFile.read(graph).signatures.get(SIGNATURE)
    return {name: tensor.shape for name, tensor in signature.inputs.items()} if signature else {}
