"""A run's directory: the checkpoint that training left, and the graphs made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_asr.acoustic.onnx import OnnxEngine, open_session
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError, UsageError
from export.checkpoint import MODEL_FILE, Checkpoint, load_checkpoint
from export.net.engine import acoustic_config
from export.net.network import Network

GRAPH = "acoustic.onnx"
"""The network as trained, in float32."""
INT8_GRAPH = "acoustic.int8.onnx"
"""The network with 8-bit products: what a bundle ships."""


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

    def engine(self, graph: str) -> tuple[OnnxEngine, AcousticConfig]:
        """Load an exported graph with the configuration that the runtime needs for it.

        Raises
        ------
        UsageError: the graph has not been made yet.
        BundleError: it cannot be read, or does not fit the checkpoint.
        """
        path = self.path / graph
        if not path.is_file():
            raise UsageError(f"{path}: no such graph; make it with: python -m export convert {self.path}")
        bins = self.checkpoint.front_end.bins
        config = acoustic_config(self.network, graph=graph, chunk_frames=_chunk_frames(path))
        return OnnxEngine(path, config, bins=bins), config


def _chunk_frames(graph: Path) -> int:
    """Frames per step: the graph itself says so, its input ``features`` has a fixed shape."""
    shapes = {node.name: node.shape for node in open_session(graph, threads=1).get_inputs()}
    if "features" not in shapes:
        raise BundleError(f"{graph}: expected an input 'features', got {', '.join(shapes)}; convert again")
    return int(shapes["features"][0])
