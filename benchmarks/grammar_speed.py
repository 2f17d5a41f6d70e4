"""``python -m benchmarks.grammar_speed``: how long grammars take to compile, and streams to change them.

Ten thousand sentences of a home are written in each format: as plain lines, as JSGF alternatives, as
sentence templates one by one, and as the few templates with lists that a person would write. Times are
user CPU time of one thread, the least of some runs.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np

from benchmarks.result import write_result
from edge_asr.audio.file import read_audio
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.distinct import distinct_sentences
from edge_asr.decoder.graph import Graph
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

SENTENCES = 10_000
_SAMPLES = Path(__file__).parent.parent / "edge_asr" / "samples"
_ROOMS = (  # noqa: SIM905
    "kitchen,living room,bedroom,bathroom,hall,garage,office,cellar,attic,dining room,guest room,nursery,"
    "study,laundry room,garden,balcony,terrace,front yard,back yard,pantry"
).split(",")
_THINGS = (  # noqa: SIM905
    "light,lamp,fan,heater,blind,radio,television,speaker,socket,camera,door,window,curtain,thermostat,"
    "humidifier,vacuum,sprinkler,alarm,lock,oven"
).split(",")
_VERBS = (  # noqa: SIM905
    "turn on,turn off,switch on,switch off,start,stop,check,reset,open,close,show me,set"
).split(",")
_FORMS = (
    "{verb} the {thing} in the {room}",
    "{verb} the {room} {thing}",
    "please {verb} the {thing} in the {room}",
    "{verb} {room} {thing} now",
    "would you {verb} the {room} {thing}",
)
T = TypeVar("T")


def main() -> int:
    """Measure and write ``results/grammar-speed.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundle (default %(default)s)")
    parser.add_argument(
        "--runs", type=int, default=3, help="the least of so many counts (default %(default)s)"
    )
    args = parser.parse_args()
    recognizer = Recognizer.load(args.model)
    _, lexicon_s = _timed(lambda: recognizer.lexicon)
    figures: dict[str, Any] = {"model": args.model, "lexicon_load_s": round(lexicon_s, 3), "grammars": {}}
    graphs: dict[str, Graph] = {}
    with TemporaryDirectory() as folder:
        for name, write in GRAMMARS.items():
            path = Path(folder) / name
            path.write_text(write(), encoding="utf-8")
            figures["grammars"][name], graphs[name] = measure(recognizer, path, args.runs)
    graphs["home.yaml (sample)"] = recognizer.compile([_SAMPLES / "home.yaml"])
    figures["use"] = {name: switching(recognizer, graph) for name, graph in graphs.items()}
    figures["use"]["free text"] = switching(recognizer, None)
    path = write_result("grammar-speed", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def sentences() -> list[str]:
    """Ten thousand different ones, in no order."""
    every = [
        form.format(verb=verb, thing=thing, room=room)
        for form, verb, thing, room in product(_FORMS, _VERBS, _THINGS, _ROOMS)
    ]
    random.Random(0).shuffle(every)
    return every[:SENTENCES]


def as_lines() -> str:
    """One sentence a line."""
    return "\n".join(sentences())


def as_jsgf() -> str:
    """Twenty public rules."""
    said = sentences()
    rules = (f"public <intent{i}> = {' | '.join(said[i::20])};" for i in range(20))
    return "#JSGF V1.0;\ngrammar home;\n" + "\n".join(rules)


def as_templates() -> str:
    """Twenty intents, each sentence a template of its own with two optional words."""
    said = sentences()
    blocks = []
    for i in range(20):
        lines = "".join(f'          - "[kindly] {sentence}[ thanks]"\n' for sentence in said[i::20])
        blocks.append(f"  Intent{i}:\n    data:\n      - sentences:\n{lines}")
    return "language: en\nintents:\n" + "".join(blocks)


def as_lists() -> str:
    """Five templates with lists of verbs, things and rooms."""
    lists = {"verb": _VERBS, "thing": _THINGS, "room": _ROOMS}
    templates = "".join(f'          - "{form}"\n' for form in _FORMS)
    values = "".join(f"  {name}: {{values: [{', '.join(words)}]}}\n" for name, words in lists.items())
    return f"language: en\nintents:\n  Do:\n    data:\n      - sentences:\n{templates}lists:\n{values}"


GRAMMARS: dict[str, Callable[[], str]] = {
    "lines.txt": as_lines,
    "alternatives.jsgf": as_jsgf,
    "templates.yaml": as_templates,
    "lists.yaml": as_lists,
}
"""File name -> what to write into it. A grammar that is added here is measured and switched to."""


def measure(recognizer: Recognizer, path: Path, runs: int) -> tuple[dict[str, Any], Graph]:
    """Times to read and to compile one grammar; and its graph."""
    reading, compiling = [], []
    for _ in range(runs):
        network, read_s = _timed(lambda: load_grammar(path))
        graph, compile_s = _timed(lambda n=network: recognizer.compile([n]))  # type: ignore[misc]
        reading.append(read_s)
        compiling.append(compile_s)
    figures = {
        "sentences": distinct_sentences(network).count,
        "file_bytes": path.stat().st_size,
        "read_s": round(min(reading), 3),
        "compile_s": round(min(compiling), 3),
        "total_s": round(min(r + c for r, c in zip(reading, compiling, strict=True)), 3),
        "states": graph.states,
        "arcs": graph.arcs,
        "graph_bytes": graph.nbytes,
    }
    return figures, graph


def switching(recognizer: Recognizer, graph: Graph | None, times: int = 20) -> dict[str, float]:
    """What a stream pays for another grammar: for ``use``, and at the next utterance's first half second."""
    rate_hz = recognizer.sample_rate_hz
    speech = read_audio(min(_SAMPLES.glob("*.flac")), rate_hz)[: rate_hz // 2]
    stream = recognizer.stream(graph=graph)
    using_ms, begun_ms, usual_ms = list[float](), list[float](), list[float]()
    for _ in range(times):
        using_ms.append(1000 * _spent_s(lambda: stream.use(graph)))
        for begins_ms in (begun_ms, usual_ms):
            begins_ms.append(1000 * _spent_s(lambda: stream.accept_waveform(speech)))
            stream.finish()
    return {
        "use_ms": round(float(np.median(using_ms)), 3),
        "use_most_ms": round(max(using_ms), 3),
        "later_ms": round(float(np.median(begun_ms) - np.median(usual_ms)), 3),
    }


def _spent_s(work: Callable[[], object]) -> float:
    """Processor time of this thread, fine enough for less than a millisecond."""
    started_s = time.thread_time()
    work()
    return time.thread_time() - started_s


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Result of ``work`` and its user CPU seconds."""
    started_s = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    return work(), resource.getrusage(resource.RUSAGE_SELF).ru_utime - started_s


if __name__ == "__main__":
    sys.exit(main())
