"""``python -m benchmarks.engine_steps MODEL ENGINE...``: engines on a model, loads and steps, as JSON.

A program of its own that imports nothing else, so that its largest memory is the engine's and not that of
what else is measured. ``benchmarks.engines`` runs it, on one thread.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

import numpy as np

from edge_asr.acoustic import Engine, create_engine
from edge_asr.bundle import Bundle

ROUNDS = 15
"""Each of a second of audio; the median counts."""


def main() -> int:
    """Print one JSON object: by engine, seconds of loading and the times of ``step_times_ms``."""
    model, *names = sys.argv[1:]
    bundle = Bundle.load(model)
    engines, loads_s = [], []
    for name in names:
        started = time.process_time()
        engines.append(create_engine(name, bundle))
        loads_s.append(time.process_time() - started)
    times = step_times_ms(engines, bundle)
    report = {n: {"load_s": s, "times_ms": t} for n, s, t in zip(names, loads_s, times, strict=True)}
    print(json.dumps(report))
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
