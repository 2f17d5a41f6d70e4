"""``python -m benchmarks.emulated``: the runtime on emulated processors of boards: right, and at what cost?

Every engine that installs for a processor hears the bundled recording under QEMU, as free text and held to a
grammar. Its words and log-probabilities are compared with those of the same engine on this machine, and its
instructions are counted: no times, which an emulator cannot tell. The same is counted for x86-64, emulated as
well. Needs what ``python -m benchmarks.emulation.roots`` makes. Writes ``results/emulated.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

import edge_asr
from benchmarks.emulation.processor import (
    PROCESSORS,
    REFERENCE,
    instructions,
    python_command,
    report_of,
    sysroot,
)
from benchmarks.emulation.roots import DIRECTORY, require
from benchmarks.result import write_result
from benchmarks.systems import SAMPLE_RATE_HZ
from benchmarks.tflite_copies import with_tflite
from edge_asr.acoustic import installed_engines
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.bundle import available_models
from edge_asr.errors import EdgeAsrError

PROJECT = Path(edge_asr.__file__).resolve().parents[1]
SAMPLES = PROJECT / "edge_asr" / "samples"
RECORDING = SAMPLES / "living-room-lights.flac"
GRAMMAR = SAMPLES / "home.yaml"
ENGINES = {
    "amd64": ("onnx", "litert", "numpy"),
    "arm64": ("onnx", "litert", "numpy"),
    "armhf": ("litert", "numpy"),
}
"""What installs on each root; litert is tflite-runtime on the last."""
TENSOR_WISE = ("armhf",)
"""Roots whose interpreter answers garbage where each channel of the weights has a scale of its own."""
PROBABILITY_APART, LOG_PROB_APART, SAME_TOKEN = 0.05, 0.03, 0.98
"""Tolerance between engines, as in tests/acoustic/test_engines.py, which tells why."""
_MATTERS = -7.0
"""Natural log; below it no search looks."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One line of the work."""

    model: str
    """Name of a packaged model."""
    engine: str
    """Key of ``edge_asr.acoustic.ENGINES``."""
    processor: str
    """Key of ``PROCESSORS``."""
    bundle: str
    """What is loaded: the model, or a copy of it that has a TFLite graph."""


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=available_models(), help="bundles (default: all ours)")
    parser.add_argument(
        "--processors", nargs="+", choices=PROCESSORS, default=list(PROCESSORS), help="(default: all)"
    )
    parser.add_argument("--engines", nargs="+", default=ENGINES["amd64"], choices=ENGINES["amd64"])
    parser.add_argument(
        "--roots",
        type=Path,
        default=DIRECTORY,
        metavar="DIR",
        help="of benchmarks.emulation.roots (default %(default)s)",
    )
    parser.add_argument(
        "--tflite",
        type=Path,
        metavar="DIR",
        help="holds NAME, copies of the models with a TFLite graph, for litert",
    )
    parser.add_argument(
        "--tflite-tensor",
        type=Path,
        metavar="DIR",
        help="the same for tflite-runtime on armv7: converted with --granularity tensor",
    )
    args = parser.parse_args()
    try:
        require(args.roots, {"amd64", *(PROCESSORS[name].root for name in args.processors)})
        runs = list(planned(args))
        figures = measure(runs, args.roots.resolve())
    except EdgeAsrError as error:
        print(f"python -m benchmarks.emulated: {error}", file=sys.stderr)
        return error.exit_code
    path = write_result("emulated", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def planned(args: argparse.Namespace) -> Iterator[Run]:
    """All that is asked for and can be run; the engines of a model stand together."""
    for model in args.models:
        for engine in args.engines:
            for processor in args.processors:
                root = PROCESSORS[processor].root
                copies = args.tflite_tensor if root in TENSOR_WISE else args.tflite
                if engine not in ENGINES[root] or (engine == "litert" and copies is None):
                    continue
                bundle = with_tflite(model, copies if engine == "litert" else None)
                yield Run(model=model, engine=engine, processor=processor, bundle=bundle)


def measure(runs: list[Run], roots: Path) -> dict[str, Any]:
    """Model -> engine -> processor -> what was heard and counted.

    Raises
    ------
    EdgeAsrError: a program failed, or an engine is not installed on this machine.
    """
    samples = read_audio(RECORDING, sample_rate_hz=SAMPLE_RATE_HZ)
    audio_s = len(samples) / SAMPLE_RATE_HZ
    found: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        guest = Guest(Path(folder), samples)
        for run in tqdm(runs, desc="emulated", disable=None):
            of_engine = found.setdefault(run.model, {}).setdefault(run.engine, {})
            of_engine[run.processor] = compared(guest, run, roots, audio_s)
    boards = {name: processor.boards for name, processor in PROCESSORS.items()}
    return {
        "recording": RECORDING.name,
        "audio_s": audio_s,
        "reference": REFERENCE,
        "processors": boards,
        "models": found,
    }


class Guest:
    """Runs ``benchmarks.emulation.guest`` on the samples, here or elsewhere."""

    def __init__(self, folder: Path, samples: Float32Array) -> None:
        self.folder = folder
        self._here: dict[tuple[str, str], tuple[dict[str, Any], Float32Array]] = {}
        np.save(folder / "samples.npy", samples)

    def run(
        self, python: list[str], bundle: str, engine: str, environment: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], Float32Array]:
        """Its report, and the log-probabilities (frames, outputs)."""
        log_probs = self.folder / "log_probs.npy"
        files = [str(self.folder / "samples.npy"), str(GRAMMAR), str(log_probs)]
        place = str(Path(bundle).resolve()) if Path(bundle).is_dir() else bundle
        command = [*python, "-m", "benchmarks.emulation.guest", place, engine, *files]
        report = report_of(command, environment)
        return report, np.load(log_probs)

    def here(self, bundle: str, engine: str) -> tuple[dict[str, Any], Float32Array]:
        """The same on this machine's own processor, once."""
        if engine not in installed_engines():
            raise EdgeAsrError(
                f"the engine {engine} is not installed on this machine, so there is nothing to compare with: "
                f"pip install 'edge-asr[{engine}]'"
            )
        if (bundle, engine) not in self._here:
            environment = {
                "PYTHONPATH": str(PROJECT),
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "ORT_DISABLE_TELEMETRY": "1",
            }
            self._here[bundle, engine] = self.run([sys.executable], bundle, engine, environment)
        return self._here[bundle, engine]


def compared(guest: Guest, run: Run, roots: Path, audio_s: float) -> dict[str, Any]:
    """One engine on one processor, beside itself on this machine."""
    expected, theirs = guest.here(run.bundle, run.engine)
    log = guest.folder / "counts.log"
    log.unlink(missing_ok=True)
    processor, root = PROCESSORS[run.processor], guest.folder / run.processor
    if not root.is_dir():
        sysroot(processor, roots, root)
    python = python_command(processor, roots, root, PROJECT, log)
    got, ours = guest.run(python, run.bundle, run.engine)
    counts = instructions(log.read_text(encoding="ascii"), got["phases"])
    return {
        "texts": got["texts"],
        "same_texts": got["texts"] == expected["texts"],
        **agreement(theirs, ours),
        "load_millions": round(counts["load"] / 1e6),
        "millions_per_audio_s": {
            phase: round(counts[phase] / 1e6 / audio_s, 1)
            for phase in ("network", "features", "free", "grammar")
        },
        "versions": {"python": got["python"], **got["versions"]},
    }


def agreement(expected: Float32Array, got: Float32Array) -> dict[str, Any]:
    """How far two (frames, outputs) arrays of log-probabilities lie apart, and whether that is too far."""
    if expected.shape != got.shape:
        raise EdgeAsrError(f"expected log-probabilities of shape {expected.shape}, got {got.shape}")
    probability = float(np.abs(np.exp(expected) - np.exp(got)).max())
    log_prob = float(np.abs(expected - got)[expected > _MATTERS].mean())
    same_token = float((expected.argmax(axis=1) == got.argmax(axis=1)).mean())
    return {
        "probability_apart": round(probability, 6),
        "log_prob_apart": round(log_prob, 6),
        "same_token": round(same_token, 4),
        "agrees": probability < PROBABILITY_APART and log_prob < LOG_PROB_APART and same_token > SAME_TOKEN,
    }


if __name__ == "__main__":
    sys.exit(main())
