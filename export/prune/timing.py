"""What pruning makes of the time that one step takes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from edge_asr.acoustic.onnx import OnnxEngine
from export.checkpoint import Checkpoint
from export.convert.onnx import CHUNK_FRAMES, export_step
from export.net.engine import acoustic_config
from export.net.network import FixedChunk
from export.quantize.graph import quantize
from export.step_times import step_times


def checkpoint_times(checkpoints: Mapping[str, Checkpoint], *, steps: int = 300) -> dict[str, float]:
    """``step_times`` of the float and the int8 graph of each checkpoint; the networks take equal chunks."""
    with tempfile.TemporaryDirectory() as scratch:
        engines = {}
        chunk = CHUNK_FRAMES
        for name, checkpoint in checkpoints.items():
            network, bins = checkpoint.restore(), checkpoint.front_end.bins
            chunk = network.chunk_frames if isinstance(network, FixedChunk) else CHUNK_FRAMES
            graphs = {form: Path(scratch) / f"{name}.{form}.onnx" for form in ("float", "int8")}
            export_step(network, graphs["float"], bins=bins, chunk_frames=chunk)
            quantize(graphs["float"], graphs["int8"], keep_float=("first", "second"))
            for form, path in graphs.items():
                config = acoustic_config(network, graph=path.name, chunk_frames=chunk)
                engines[f"{name}, {form}"] = OnnxEngine(path, config, bins=bins)
        return step_times(engines, chunk_frames=chunk, steps=steps)
