"""How long one step of inference engines takes, measured by turns in one process."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import numpy as np

from edge_asr.acoustic import Engine
from edge_asr.config import AcousticConfig
from edge_asr.errors import UsageError

_WARM = 10


def step_times(engines: Mapping[str, Engine], *, chunk_frames: int, steps: int = 300) -> dict[str, float]:
    """Median CPU time of this thread per step in milliseconds, by name.

    The engines take turns, step by step, so that whatever else the machine does meets all of them alike. The
    features are noise, which costs what speech does.
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


def common_chunk_frames(configs: Iterable[AcousticConfig]) -> int:
    """Feature frames of a step of all of them.

    Raises
    ------
    UsageError: their chunks differ in length, so that their steps are no comparison.
    """
    chunks = {config.chunk_frames for config in configs}
    if len(chunks) != 1:
        raise UsageError(f"expected chunks of one length, got {sorted(chunks)}: convert with --chunk-frames")
    return chunks.pop()
