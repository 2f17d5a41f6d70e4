"""``python -m benchmarks.emulation.guest MODEL ENGINE SAMPLES.npy GRAMMAR LOG_PROBS.npy``: what is counted.

Runs in the emulated machine, which has Python, NumPy and inference engines, and on the host, to compare.
Hears the samples as free text, then held to the grammar, then with the network alone, each twice: what is
only done once is in the first. Prints one JSON object; between its phases it sets the marks that
``count_instructions.c`` looks for.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from edge_asr.acoustic import create_engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.decoder.graph import Graph
from edge_asr.events import Final
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc
from edge_asr.recognizer import Recognizer

MARK = 1_000_000_007
"""A file descriptor that is never open; closing it is a mark. Same as in count_instructions.c."""
PACKAGES = ("numpy", "onnxruntime", "ai-edge-litert", "tflite-runtime")


class Phases:
    """Runs one thing after the other with a mark after each."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._mark()

    def run(self, name: str, work: Callable[[], Any]) -> Any:
        """Do ``work``; what it returns."""
        result = work()
        self._mark()
        self.names.append(name)
        return result

    @staticmethod
    def _mark() -> None:
        with contextlib.suppress(OSError):
            os.close(MARK)


def main() -> int:
    """Run all phases and report."""
    model, engine, samples_file, grammar, log_probs_file = sys.argv[1:]
    samples: Float32Array = np.load(samples_file)
    phases = Phases()
    recognizer: Recognizer = phases.run("load", lambda: Recognizer.load(model, engine=engine))
    graphs: dict[str, Graph] = {
        "free": phases.run("load free", recognizer.word_loop),
        "grammar": phases.run("load grammar", lambda: recognizer.compile([Path(grammar)])),
    }
    texts = {}
    for name, graph in graphs.items():
        for phase in (f"first {name}", name):
            texts[name] = phases.run(phase, partial(hear, recognizer, graph, samples))
    config = recognizer.bundle.config
    features = phases.run("features", lambda: cmvn(mfcc(samples, config.mfcc), config.cmvn))
    acoustic = AcousticModel(create_engine(engine, recognizer.bundle), config.acoustic)
    for phase in ("first network", "network"):
        acoustic.reset()
        log_probs = phases.run(phase, lambda: np.concatenate([acoustic.push(features), acoustic.flush()]))
    np.save(log_probs_file, log_probs)
    report = {
        "phases": phases.names,
        "texts": texts,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": {package: found for package in PACKAGES if (found := _version(package))},
    }
    print(json.dumps(report))
    return 0


def hear(recognizer: Recognizer, graph: Graph, samples: Float32Array) -> str:
    """Words in (n,) samples at 16 kHz, delivered in blocks of 100 ms as a microphone does."""
    stream = recognizer.stream(graph=graph)
    events = []
    for start in range(0, len(samples), 1600):
        events += stream.accept_waveform(samples[start : start + 1600])
    events += stream.finish()
    return " ".join(event.text for event in events if isinstance(event, Final))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
