"""``python -m benchmarks.engines``: what each inference engine costs, and whether it hears the same.

Every engine that is installed, on every model that brings a file for it: size of that file, load, speed on
one thread, memory (each in a process of its own), speed beside onnxruntime's in one process, and accuracy
on the same samples. With ``--tflite`` on copies of the models that bring a file for litert as well
(benchmarks/tflite_copies.py says how they are made). Writes ``results/engines.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import corpus
from benchmarks.accuracy import COMMANDS, KITCHEN_TABLE, TASKS, measure
from benchmarks.conditions import CLEAN, Scene
from benchmarks.result import write_result
from benchmarks.spoken_commands import spoken_commands
from benchmarks.systems import EdgeAsr, System
from benchmarks.tflite_copies import with_tflite
from edge_asr.acoustic import ENGINES, installed_engines
from edge_asr.bundle import Bundle, available_models
from edge_asr.errors import EdgeAsrError
from export.corpus import Utterance

REFERENCE = "onnx"
"""The engine that the others' speed is given in multiples of."""
HEARD = ("librispeech", COMMANDS)
"""Of accuracy's tasks."""
_PROCESSES = 3
"""Of which the median counts."""


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=available_models(), help="bundles (default: all ours)")
    parser.add_argument(
        "--tflite", type=Path, metavar="DIR", help="holds NAME, copies of the models with a TFLite graph"
    )
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="for spoken commands and rooms")
    corpus.add_arguments(parser)
    parser.set_defaults(limit=60)
    args = parser.parse_args()
    models = [with_tflite(model, args.tflite) for model in args.models]
    sets = {
        COMMANDS: corpus.evenly(spoken_commands(args.cache), args.limit),
        **{name: corpus.dev_set(args, name) for name in HEARD if name != COMMANDS},
    }
    scene = Scene(args.data, args.cache)
    figures: dict[str, Any] = {"limit": args.limit, "models": {}}
    for model in models:
        found = cost(model, engines_of(Bundle.load(model)))
        heard = accuracy(model, list(found), scene, sets)
        figures["models"][Bundle.load(model).config.name] = {
            engine: {**found[engine], **heard[engine]} for engine in found
        }
    path = write_result("engines", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def engines_of(bundle: Bundle) -> list[str]:
    """The installed engines that the bundle has a file for."""
    config = bundle.config.acoustic
    return [name for name in installed_engines() if getattr(config, ENGINES[name].field, None)]


def cost(model: str, engines: list[str]) -> dict[str, dict[str, float]]:
    """Engine -> size, load, speed and memory."""
    bundle = Bundle.load(model)
    together = run_steps(model, engines)[0] if REFERENCE in engines else {}
    found: dict[str, dict[str, float]] = {}
    for name in engines:
        file = bundle.path(getattr(bundle.config.acoustic, ENGINES[name].field))
        alone = [run_steps(model, [name]) for _ in range(_PROCESSES)]
        found[name] = {
            "size_bytes": file.stat().st_size,
            "load_s": _median([report[name]["load_s"] for report, _ in alone]),
            "ms_per_audio_s": _median([np.median(report[name]["times_ms"]) for report, _ in alone]),
            "peak_memory_mb": _median([memory_mb for _, memory_mb in alone]),
        }
        if together:
            theirs = np.array(together[REFERENCE]["times_ms"])
            found[name][f"times_{REFERENCE}"] = _median(np.array(together[name]["times_ms"]) / theirs)
    return found


def run_steps(model: str, engines: list[str]) -> tuple[dict[str, Any], float]:
    """What ``benchmarks.engine_steps`` says in a process of its own, and its largest memory in MB.

    Raises
    ------
    EdgeAsrError: the process failed.
    """
    command = [sys.executable, "-m", "benchmarks.engine_steps", model, *engines]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.process", *command],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},  # NumPy's BLAS reads them
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EdgeAsrError(f"{', '.join(engines)} on {model}: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    return json.loads(report["first_line"]), report["peak_memory_mb"]


def _median(values: Any) -> float:
    return round(float(np.median(values)), 3)


def accuracy(
    model: str, engines: list[str], scene: Scene, sets: dict[str, list[Utterance]]
) -> dict[str, dict[str, float]]:
    """Engine -> word error rate of free text, share of commands right; all hear the same samples."""
    systems: dict[str, System] = {name: EdgeAsr(model, engine=name) for name in engines}
    heard: dict[str, dict[str, float]] = {name: {} for name in engines}
    for task, utterances in sets.items():
        key = "right" if TASKS[task] else "wer"
        condition = KITCHEN_TABLE if task == COMMANDS else CLEAN
        for name, groups in measure(systems, scene, task, utterances, condition).items():
            counts = [group["utterances"] for group in groups.values()]
            values = [group[key] for group in groups.values()]
            heard[name][f"{task}_{key}"] = round(float(np.average(values, weights=counts)), 4)
    return heard


if __name__ == "__main__":
    sys.exit(main())
