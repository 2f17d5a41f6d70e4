"""``python -m benchmarks.graphs RUN_DIR ...``: size and step time of all graphs of a run, in one process.

Needs run directories with graphs of both formats (``python -m export convert``, ``... --to tflite``). Time is
that of the thread's processor, since the machine may be busy; the graphs take turns, so that a change of its
clock strikes all of them. The features are those of a recording, from one step to the next.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import edge_asr
from benchmarks.result import write_result
from edge_asr.acoustic import Engine
from edge_asr.acoustic.state import State
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from export.rundir import GRAPH, INT8_GRAPH, INT8_TFLITE, TFLITE, RunDir
from export.verify import features_of

RECORDING = Path(edge_asr.__file__).parent / "samples" / "living-room-lights.flac"
FORMS = (GRAPH, INT8_GRAPH, TFLITE, INT8_TFLITE)


def main() -> int:
    """Measure and write ``results/graphs.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run_dirs", type=Path, nargs="+", metavar="RUN_DIR")
    parser.add_argument("--turns", type=int, default=20, help="of each graph (default %(default)s)")
    args = parser.parse_args()
    figures = {path.name: measure(RunDir.load(path), args.turns) for path in args.run_dirs}
    path = write_result("graphs", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def measure(run_dir: RunDir, turns: int) -> dict[str, Any]:
    """Bytes, and microseconds of processor a step, of each form."""
    front_end = run_dir.checkpoint.front_end
    features = features_of(read_audio(RECORDING, front_end.mfcc.sample_rate_hz), front_end)
    loaded = {name: run_dir.engine(name) for name in FORMS}
    (chunk_frames,) = {config.chunk_frames for _, config in loaded.values()}
    chunks = np.split(features[: len(features) - len(features) % chunk_frames], len(features) // chunk_frames)
    steps: dict[str, list[float]] = {name: [] for name in FORMS}
    for turn in range(turns):
        for name, (engine, _) in loaded.items():
            times = _step_times(engine, chunks)
            if turn:  # the first one warms up
                steps[name] += times
    return {
        "chunk_frames": chunk_frames,
        "graphs": {
            name: {
                "bytes": (run_dir.path / name).stat().st_size,
                "step_us_median": round(float(np.median(times)) / 1000, 1),
                "step_us_95": round(float(np.percentile(times, 95)) / 1000, 1),
            }
            for name, times in steps.items()
        },
    }


def _step_times(engine: Engine, chunks: list[Float32Array]) -> list[float]:
    """Nanoseconds of each step of one stream."""
    state: State = engine.initial_state()
    times = []
    for chunk in chunks:
        start = time.thread_time_ns()
        _, state = engine.step(chunk, state)
        times.append(float(time.thread_time_ns() - start))
    return times


if __name__ == "__main__":
    sys.exit(main())
