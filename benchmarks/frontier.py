"""``python -m benchmarks.frontier RUN_DIR ...``: what is given for size, speed and accuracy.

All graphs of all run directories: the float and int8 ones of ``convert``, those of ``quantize``, and TFLite.
Size is the file's; a step's time is of the processor, all graphs by turns in one process; accuracy is that
of the bundle with the graph in the place of its own. Writes ``results/frontier.json`` and
``results/frontier.png``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import corpus
from benchmarks.accuracy import COMMANDS, task_utterances
from benchmarks.frontier_plot import draw
from benchmarks.listening import Answer, Ear, Place, listen
from benchmarks.pareto import unbeaten
from benchmarks.result import RESULTS, write_result
from benchmarks.swapped import Subject, distinct, subject, swap_graph
from edge_asr.bundle import Bundle
from edge_asr.commands.model import positive
from export.corpus import Utterance
from export.rundir import GRAPH, INT8_GRAPH, RunDir
from export.step_times import common_chunk_frames, step_times

HEARD = ("librispeech", COMMANDS)
"""Of accuracy's tasks."""
COSTS = {"size": "bytes", "time": "ms_per_audio_s"}
MISTAKES = {"words": "librispeech_wer", "commands": "commands_wrong"}
"""What a frontier is drawn between, by name: less is better everywhere."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One graph of one network."""

    subject: Subject
    """The run and its bundle."""
    run_dir: RunDir
    """The run, loaded."""
    graph: str
    """File name of the graph."""

    @property
    def name(self) -> str:
        """``en-small, int8``, of the run and what is between the first and the last dot of the graph."""
        return f"{self.subject.name}, {form_of(self.graph)}"


def main() -> int:
    """Measure, write and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "subjects",
        type=subject,
        nargs="+",
        metavar="RUN_DIR[=BUNDLE]",
        help="directory with model.pt and its graphs, and the bundle whose words it is heard with (default: "
        "the packaged model of the same name)",
    )
    parser.add_argument("--steps", type=positive, default=1000, help="of each graph (default %(default)s)")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="for spoken commands and rooms")
    parser.add_argument(
        "--jobs", type=positive, default=1, help="processes that listen (default %(default)s)"
    )
    corpus.add_arguments(parser)
    parser.set_defaults(limit=100)
    args = parser.parse_args()
    figures = measure(choices(distinct(args.subjects)), args)
    path = write_result("frontier", figures)
    draw(figures, RESULTS / "frontier.png")
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def choices(subjects: Sequence[Subject]) -> list[Choice]:
    """All graphs of all runs."""
    return [
        Choice(subject=chosen, run_dir=run_dir, graph=graph)
        for chosen in subjects
        for run_dir in (RunDir.load(chosen.run_dir),)
        for graph in graphs_in(chosen.run_dir)
    ]


def graphs_in(directory: Path) -> list[str]:
    """Names of a run's graphs: float, int8, then the others in order; those of ``convert`` must be there."""
    found = {path.name for ending in ("onnx", "tflite") for path in directory.glob(f"acoustic*.{ending}")}
    return [GRAPH, INT8_GRAPH, *sorted(found - {GRAPH, INT8_GRAPH})]


def form_of(graph: str) -> str:
    """``float``, ``int8``, ``static``; with ``tflite`` where that is the format."""
    _, _, rest = graph.partition(".")
    form, _, ending = rest.rpartition(".")
    return (form or "float") + (", tflite" if ending == "tflite" else "")


def measure(found: Sequence[Choice], args: argparse.Namespace) -> dict[str, Any]:
    """Figures of all graphs.

    Raises
    ------
    UsageError: a graph is missing, or their chunks differ in length.
    """
    loaded = {choice.name: choice.run_dir.engine(choice.graph) for choice in found}
    chunk_frames = common_chunk_frames(config for _, config in loaded.values())
    engines = {name: engine for name, (engine, _) in loaded.items()}
    step_ms = step_times(engines, chunk_frames=chunk_frames, steps=args.steps)
    sets = {task: task_utterances(args, task) for task in HEARD}
    heard: dict[str, dict[str, float]] = {}
    for chosen in dict.fromkeys(choice.subject for choice in found):
        # One network after the other: each of their search graphs is large.
        heard |= _mistakes([choice for choice in found if choice.subject == chosen], sets, args)
    points = []
    for choice in found:
        shift_ms = choice.run_dir.checkpoint.front_end.mfcc.frame_shift_ms
        points.append(
            {
                "model": choice.subject.name,
                "form": form_of(choice.graph),
                "bytes": (choice.run_dir.path / choice.graph).stat().st_size,
                "step_ms": step_ms[choice.name],
                "ms_per_audio_s": round(step_ms[choice.name] * 1000 / (chunk_frames * shift_ms), 3),
                **heard[choice.name],
            }
        )
    return {
        "limit": args.limit,
        "utterances": {task: len(utterances) for task, utterances in sets.items()},
        "chunk_frames": chunk_frames,
        "points": with_frontiers(points),
    }


def _mistakes(
    found: Sequence[Choice], sets: Mapping[str, Sequence[Utterance]], args: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """Choice -> what it mishears; all of one bundle."""
    with TemporaryDirectory() as scratch:
        ears = {}
        for number, choice in enumerate(found):
            directory, bundle = Path(scratch) / str(number), Bundle.load(choice.subject.bundle)
            engine = swap_graph(bundle, choice.run_dir, choice.graph, directory)
            ears[choice.name] = Ear(bundle=directory, engine=engine)
        answers = listen(ears, sets, Place(data=args.data, cache=args.cache), jobs=args.jobs)
    return {name: mistakes({task: answers[task][name] for task in HEARD}) for name in ears}


def mistakes(answers: Mapping[str, Sequence[Answer]]) -> dict[str, float]:
    """Word error rate of free text, share of the commands that were not heard as said."""
    free, held = (answers[task] for task in HEARD)
    wer = sum(answer.errors for answer in free) / sum(answer.words for answer in free)
    wrong = sum(answer.errors > 0 for answer in held) / len(held)
    return {"librispeech_wer": round(wer, 4), "commands_wrong": round(wrong, 4)}


def with_frontiers(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The points, each with the frontiers that it lies on: ``words by size``, ``commands by time``."""
    on: list[list[str]] = [[] for _ in points]
    for mistake, heard in MISTAKES.items():
        for cost, paid in COSTS.items():
            for index in unbeaten([(point[paid], point[heard]) for point in points]):
                on[index].append(f"{mistake} by {cost}")
    return [{**point, "frontiers": names} for point, names in zip(points, on, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
