"""``python -m benchmarks.graphs RUN_DIR ...``: size and step time of all graphs of a run, in one process.

Needs run directories with graphs of both formats (``python -m export convert``, ``... --to tflite``).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.result import write_result
from export.rundir import GRAPH, INT8_GRAPH, INT8_TFLITE, TFLITE, RunDir
from export.step_times import step_times

FORMS = (GRAPH, INT8_GRAPH, TFLITE, INT8_TFLITE)


def main() -> int:
    """Measure and write ``results/graphs.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run_dirs", type=Path, nargs="+", metavar="RUN_DIR")
    parser.add_argument("--steps", type=int, default=1000, help="of each graph (default %(default)s)")
    args = parser.parse_args()
    figures = {path.name: measure(RunDir.load(path), args.steps) for path in args.run_dirs}
    path = write_result("graphs", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def measure(run_dir: RunDir, steps: int) -> dict[str, Any]:
    """Bytes, and milliseconds of processor a step, of each form.

    Raises
    ------
    UsageError: a graph has not been made yet.
    """
    loaded = {name: run_dir.engine(name) for name in FORMS}
    (chunk_frames,) = {config.chunk_frames for _, config in loaded.values()}
    engines = {name: engine for name, (engine, _) in loaded.items()}
    step_ms = step_times(engines, chunk_frames=chunk_frames, steps=steps)
    sizes = {name: (run_dir.path / name).stat().st_size for name in FORMS}
    return {
        "chunk_frames": chunk_frames,
        "graphs": {name: {"bytes": sizes[name], "step_ms": step_ms[name]} for name in FORMS},
    }


if __name__ == "__main__":
    sys.exit(main())
