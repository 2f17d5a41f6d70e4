"""``python -m benchmarks.engine_steps ENGINE MODEL``: one engine on one model, its load and its steps, as JSON.

A program of its own that imports nothing else, so that its largest memory is the engine's and not that of
what else is measured. ``benchmarks.engines`` runs it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence

# Before NumPy is imported: its BLAS reads this once.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np

from edge_asr.acoustic import Engine, create_engine
from edge_asr.bundle import Bundle

ROUNDS = 15
"""Each of a second of audio; the median counts."""


def main() -> int:
    """Print one JSON object: seconds of loading, milliseconds of processor for a second of audio."""
    name, model = sys.argv[1:3]
    bundle = Bundle.load(model)
    started = time.process_time()
    engine = create_engine(name, bundle)
    load_s = time.process_time() - started
    times_ms = step_times_ms([engine], bundle)[0]
    print(json.dumps({"load_s": load_s, "ms_per_audio_s": float(np.median(times_ms))}))
    return 0


def step_times_ms(engines: Sequence[Engine], bundle: Bundle, rounds: int = ROUNDS) -> list[list[float]]:
    """Milliseconds of processor that each engine takes for a second of audio, round by round in turn.

    Processor time, not the clock's: other programs may run. The audio is noise, which costs what speech does.
    """
    config = bundle.config
    acoustic = config.acoustic
    rng = np.random.default_rng(0)
    chunk = rng.normal(size=(acoustic.chunk_frames, len(config.cmvn.mean))).astype(np.float32)
    chunk_s = acoustic.chunk_frames * config.mfcc.frame_shift_ms / 1000
    steps = round(1 / chunk_s)
    times: list[list[float]] = [[] for _ in engines]
    for turn in range(rounds + 1):
        for engine, of_engine in zip(engines, times, strict=True):
            state = engine.initial_state()
            started = time.process_time()
            for _ in range(steps):
                _, state = engine.step(chunk, state)
            took_ms = 1000 * (time.process_time() - started) / (steps * chunk_s)
            if turn:  # the first one warms up
                of_engine.append(took_ms)
    return times


if __name__ == "__main__":
    sys.exit(main())
