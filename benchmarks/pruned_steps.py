"""``python -m benchmarks.pruned_steps``: what pruning and int8 make of the time that a step takes.

The graphs of both run directories (``python -m export convert``) take turns in one process, on one thread;
``times_faster`` is beside the float graph of the network that was not pruned.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.result import write_result
from export.prune.cost import cost
from export.rundir import GRAPH, INT8_GRAPH, INT8_TFLITE, RunDir
from export.step_times import common_chunk_frames, step_times


def main() -> int:
    """Measure and write ``results/pruned-steps.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, default=Path("runs/en-small"), help="default %(default)s")
    parser.add_argument(
        "--after", type=Path, default=Path("runs/en-small-pruned"), help="default %(default)s"
    )
    parser.add_argument("--steps", type=int, default=1000, help="of each graph (default %(default)s)")
    args = parser.parse_args()
    figures = measure(RunDir.load(args.before), RunDir.load(args.after), args.steps)
    path = write_result("pruned-steps", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def measure(before: RunDir, after: RunDir, steps: int) -> dict[str, Any]:
    """Milliseconds of CPU time per step of all graphs, and the size of both networks.

    Raises
    ------
    UsageError: the networks take chunks of different lengths.
    """
    engines, configs = {}, []
    forms = [("float", GRAPH), ("int8", INT8_GRAPH)]
    if all((run_dir.path / INT8_TFLITE).is_file() for run_dir in (before, after)):
        forms.append(("int8_litert", INT8_TFLITE))
    for name, run_dir in (("before", before), ("after", after)):
        for form, graph in forms:
            engines[f"{name}_{form}"], config = run_dir.engine(graph)
            configs.append(config)
    chunk_frames = common_chunk_frames(configs)
    step_ms = step_times(engines, chunk_frames=chunk_frames, steps=steps)
    slowest = step_ms["before_float"]
    return {
        "chunk_frames": chunk_frames,
        "step_ms": step_ms,
        "times_faster": {name: round(slowest / ms, 2) for name, ms in step_ms.items()},
        "networks": {name: _size(run_dir) for name, run_dir in (("before", before), ("after", after))},
    }


def _size(run_dir: RunDir) -> dict[str, Any]:
    checkpoint = run_dir.checkpoint
    shift_ms = checkpoint.front_end.mfcc.frame_shift_ms
    price = cost(checkpoint.network, checkpoint.config, frame_shift_ms=shift_ms)
    last = checkpoint.history[-1] if checkpoint.history else {}
    return {
        "weights": price.weights,
        "macs_per_second": round(price.macs_per_second),
        "int8_bytes": (run_dir.path / INT8_GRAPH).stat().st_size,
        "phone_error": {k.removeprefix("per_"): v for k, v in last.items() if k.startswith("per_")},
    }


if __name__ == "__main__":
    sys.exit(main())
