"""How long one step of exported graphs takes, measured by turns in one process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_asr.acoustic import Engine
from edge_asr.acoustic.onnx import OnnxEngine
from export.checkpoint import Checkpoint
from export.convert.onnx import CHUNK_FRAMES, export_step
from export.net.engine import acoustic_config
from export.net.network import FixedChunk
from export.quantize.graph import quantize

_WARM = 10


def step_times(engines: Mapping[str, Engine], *, chunk_frames: int, steps: int = 300) -> dict[str, float]:
    """Median CPU time of this thread per step in milliseconds, by name.

    The engines take turns, step by step, so that whatever else the machine does meets all of them alike.
    """
    rng = np.random.default_rng(0)
    taken: dict[str, list[float]] = {name: [] for name in engines}
    states = {name: engine.initial_state() for name, engine in engines.items()}
    for i in range(_WARM + steps):
        for name, engine in engines.items():
            features = rng.normal(size=(chunk_frames, engine.bins)).astype(np.float32)
            started = time.thread_time()
            _, states[name] = engine.step(features, states[name])
            if i >= _WARM:
                taken[name].append(time.thread_time() - started)
    return {name: round(1000 * float(np.median(each)), 4) for name, each in taken.items()}


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
