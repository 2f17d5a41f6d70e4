"""``python -m benchmarks.accuracy``: who understands strangers, in quiet and in noise.

Free dictation and commands of speakers that no training heard, by each bundle of ours and by every peer
that is installed, on the same samples; then our curves over noise. Writes ``results/accuracy.json`` and
``results/accuracy.png``.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import corpus
from benchmarks.accuracy_plot import draw
from benchmarks.conditions import CLEAN, NOISY, Condition, Scene
from benchmarks.result import RESULTS, write_result
from benchmarks.spoken_commands import GRAMMAR, spoken_commands
from benchmarks.systems import SAMPLE_RATE_HZ, EdgeAsr, System, peers
from benchmarks.tally import Tally
from edge_asr.commands.evaluate import group_of
from edge_asr.recognizer import DEFAULT_MODEL
from export.corpus import Utterance

GRID_GRAMMAR = Path(__file__).parent / "grammars" / "grid.jsgf"
COMMANDS = "commands"
TASKS: dict[str, Path | None] = {
    "librispeech": None,
    "commonvoice": None,
    "speechocean762": None,
    "grid": GRID_GRAMMAR,
    COMMANDS: GRAMMAR,
}
"""Set -> the grammar that its speakers keep to, None for free dictation."""
KITCHEN_TABLE = Condition("mixed", 10.0, room=True)
"""Where the commands are said: somewhere in a room, with kitchen, car or babble in turn at 10 dB."""


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=[DEFAULT_MODEL], help="bundles (default %(default)s)")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="for spoken commands and rooms")
    parser.add_argument(
        "--beside",
        type=int,
        default=40,
        metavar="N",
        help="utterances of each set that the peers hear too (default 40)",
    )
    parser.add_argument(
        "--noisy", type=int, default=50, metavar="N", help="utterances of each set in each noise (default 50)"
    )
    parser.add_argument("--no-peers", action="store_true", help="measure only our own bundles")
    corpus.add_arguments(parser)
    args = parser.parse_args()
    loaded = [EdgeAsr(name) for name in args.models]
    ours: dict[str, System] = {system.recognizer.bundle.config.name: system for system in loaded}
    others = {} if args.no_peers else peers()
    scene = Scene(args.data, args.cache)
    sets = {name: task_utterances(args, name) for name in TASKS}
    figures: dict[str, Any] = {key: {} for key in ("strangers", "beside", "noise")}
    figures |= {"limit": args.limit, "few": {"beside": args.beside, "noise": args.noisy}}
    for name, utterances in sets.items():
        condition, voices = condition_of(name), name == COMMANDS
        figures["strangers"][name] = measure(ours, scene, name, utterances, condition, voices=voices)
        few = corpus.evenly(utterances, args.beside)
        figures["beside"][name] = measure({**ours, **others}, scene, name, few, condition) if others else {}
    held = {name: system for name, system in others.items() if system.grammars}
    for name, utterances in sets.items():
        grammar = TASKS[name] is not None
        few = corpus.evenly(utterances, args.noisy)
        systems = {**ours, **(held if grammar else {})}
        figures["noise"][name] = {
            condition.name: measure(systems, scene, name, few, condition) for condition in (CLEAN, *NOISY)
        }
    path = write_result("accuracy", figures)
    draw(figures, RESULTS / "accuracy.png")
    print(json.dumps(figures["strangers"], indent=1))
    print(f"written to {path}")
    return 0


def measure(
    systems: dict[str, System],
    scene: Scene,
    name: str,
    utterances: list[Utterance],
    condition: Condition,
    *,
    voices: bool = False,
) -> dict[str, dict[str, dict[str, float]]]:
    """System -> speaker group -> figures; all systems hear the same samples in turn.

    Parameters
    ----------
    voices: group synthetic speech by the engine that spoke it (``engine:voice`` is its speaker), with the
        figures of ``all`` beside; else by what the manifest says of the speaker.
    """
    held_to = {label: TASKS[name] if system.grammars else None for label, system in systems.items()}
    for label, system in systems.items():
        system.prepare(held_to[label])
    tallies: dict[str, dict[str, Tally]] = {system: {} for system in systems}
    for utterance in tqdm(utterances, desc=f"{name}, {condition.name}", disable=None):
        samples = scene.hear(utterance, condition)
        group = utterance.speaker.partition(":")[0] if voices else group_of(utterance.extra, None)
        for label, system in systems.items():
            tally = tallies[label].setdefault(group, Tally())
            hear = partial(system.hear, samples, held_to[label])
            tally.add(utterance.text, samples.size / SAMPLE_RATE_HZ, hear)
    if voices:
        for groups in tallies.values():
            groups["all"] = Tally.together(groups.values())
    return {
        label: {("all" if group == "unknown" else group): tally.report() for group, tally in groups.items()}
        for label, groups in tallies.items()
    }


def condition_of(task: str) -> Condition:
    """How the recordings of a task are heard where nothing else is said."""
    return KITCHEN_TABLE if task == COMMANDS else CLEAN


def task_utterances(args: argparse.Namespace, name: str) -> list[Utterance]:
    """The recordings of a task; with ``--limit`` evenly spread over it."""
    if name == COMMANDS:
        return corpus.evenly(spoken_commands(args.cache), args.limit)
    return corpus.dev_set(args, name)


if __name__ == "__main__":
    sys.exit(main())
