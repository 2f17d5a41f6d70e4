"""``python -m benchmarks.int8_loss``: what 8-bit products cost in words and commands.

Each bundle hears all dev speakers twice: with the float graph of the run that it was packed from, and with
the int8 graph of that run. Lexicon, language model, search and calibration are the bundle's both times.
``lost`` is what int8 mishears more, with its 95 % interval over recordings. Writes
``results/int8-loss.json``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import corpus
from benchmarks.accuracy import TASKS, task_utterances
from benchmarks.listening import Answer, Answers, Ear, Place, listen
from benchmarks.paired import RESAMPLES, Difference, word_errors, wrong_sentences
from benchmarks.result import write_result
from benchmarks.swapped import Subject, distinct, subject, swap_graph
from edge_asr.bundle import Bundle
from edge_asr.commands.model import positive
from export.quantize.record import sha256_of
from export.rundir import GRAPH, INT8_GRAPH, RunDir

WANTED = {"wer": 0.005, "right": 0.003}
"""Largest loss that is wanted: of words in free text, of sentences with a grammar."""
FORMS = {"float": GRAPH, "int8": INT8_GRAPH}
TOGETHER = {"wer": "free text", "right": "commands and GRID"}
"""Names of the sums over all tasks of a measure."""
_DEFAULT = [Subject(run_dir=Path("runs") / name, bundle=name) for name in ("en-small", "en-tiny")]


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "subjects",
        type=subject,
        nargs="*",
        default=_DEFAULT,
        metavar="RUN_DIR[=BUNDLE]",
        help="directory with model.pt and both graphs, and the bundle that was packed from it (default: the "
        "packaged model of the same name; without any, runs/en-small and runs/en-tiny)",
    )
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="for spoken commands and rooms")
    parser.add_argument("--jobs", type=positive, default=1, help="processes (default %(default)s)")
    corpus.add_arguments(parser)
    args = parser.parse_args()
    models = {chosen.name: measure(chosen, args) for chosen in distinct(args.subjects)}
    figures = {"limit": args.limit, "resamples": RESAMPLES, "wanted": WANTED, "models": models}
    path = write_result("int8-loss", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def measure(chosen: Subject, args: argparse.Namespace) -> dict[str, Any]:
    """Figures of one model, ``shipped`` where the int8 graph is the one in the bundle."""
    bundle, run_dir = Bundle.load(chosen.bundle), RunDir.load(chosen.run_dir)
    print(f"{chosen.name}, words of {bundle.config.name}", file=sys.stderr, flush=True)
    with TemporaryDirectory() as scratch:
        ears = {}
        for form, graph in FORMS.items():
            directory = Path(scratch) / form
            ears[form] = Ear(bundle=directory, engine=swap_graph(bundle, run_dir, graph, directory))
        sets = {task: task_utterances(args, task) for task in TASKS}
        answers = listen(ears, sets, Place(data=args.data, cache=args.cache), jobs=args.jobs)
    shipped = bundle.config.files[bundle.config.acoustic.graph]
    return {
        "bundle": bundle.config.name,
        "shipped": sha256_of(run_dir.path / INT8_GRAPH) == shipped,
        "size_bytes": {form: (run_dir.path / graph).stat().st_size for form, graph in FORMS.items()},
        "tasks": losses(answers),
    }


def losses(answers: Answers) -> dict[str, dict[str, Any]]:
    """Task -> its rates and what was lost, and the same of all tasks of a measure together.

    Rates are those of ``measure``: ``wer`` counts words that are wrong, ``right`` sentences that are right.
    What is lost is above 0 where int8 is the worse in both.
    """
    found: dict[str, dict[str, Any]] = {}
    for measured, together in TOGETHER.items():
        tasks = [task for task in answers if measure_of(task) == measured]
        for task in tasks:
            found[task] = _loss(measured, *(answers[task][form] for form in FORMS))
        if len(tasks) > 1:
            joined = [[answer for task in tasks for answer in answers[task][form]] for form in FORMS]
            found[together] = _loss(measured, *joined)
    return found


def measure_of(task: str) -> str:
    """``wer`` of free text, ``right`` where speakers keep to a grammar."""
    return "right" if TASKS[task] else "wer"


def _loss(measured: str, before: Sequence[Answer], after: Sequence[Answer]) -> dict[str, Any]:
    compared: Difference = (wrong_sentences if measured == "right" else word_errors)(before, after)
    errors = dataclasses.asdict(compared) | {"lost": compared.lost}
    rates = {form: errors[side] for form, side in zip(FORMS, ("before", "after"), strict=True)}
    if measured == "right":
        rates = {form: 1 - wrong for form, wrong in rates.items()}
    return {
        "measure": measured,
        "utterances": len(before),
        "words": sum(answer.words for answer in before),
        "differ": sum(b.errors != a.errors for b, a in zip(before, after, strict=True)),
        **{key: round(value, 5) for key, value in rates.items()},
        **{key: round(errors[key], 5) for key in ("lost", "low", "high")},
    }


if __name__ == "__main__":
    sys.exit(main())
