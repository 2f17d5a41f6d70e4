"""Several graphs that hear the same recordings, by as many processes as are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from benchmarks.accuracy import TASKS, condition_of
from benchmarks.conditions import Scene
from benchmarks.systems import EdgeAsr
from export.corpus import Utterance


@dataclass(frozen=True, kw_only=True)
class Ear:
    """What hears."""

    bundle: Path
    """Directory of the bundle."""
    engine: str
    """What runs its graph."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one recording's words became, counted."""

    words: int
    """Said."""
    errors: int
    """Edits between the words said and those heard."""

    @classmethod
    def of(cls, said: str, heard: str) -> Answer:
        """Compare two texts of lower-case words."""
        errors = Levenshtein.distance(said.split(), heard.split())
        return cls(words=len(said.split()), errors=errors)


Item = TypeVar("Item")
Answers = dict[str, dict[str, list[Answer]]]
"""Task -> ear -> answers, one a recording, in its order."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where recordings and rooms are found (benchmarks/conditions.py)."""

    data: Path
    """Folder of the corpora."""
    cache: Path
    """Folder of simulated rooms."""


def listen(
    ears: Mapping[str, Ear], sets: Mapping[str, Sequence[Utterance]], place: Place, *, jobs: int = 1
) -> Answers:
    """Let all ears hear all recordings, each in its task's condition and with its grammar.

    Parameters
    ----------
    ears: by name; all hear the same samples.
    sets: task of benchmarks/accuracy.py -> its recordings.
    jobs: processes that share the recordings; what they hear does not depend on it.
    """
    if jobs == 1:
        return _listen(ears, sets, place, "")
    shares = [{task: share(utterances, i, jobs) for task, utterances in sets.items()} for i in range(jobs)]
    # A fork would inherit the threads of inference engines that are loaded here.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as processes:
        calls = [
            processes.submit(_listen, ears, each, place, f" {i + 1}/{jobs}") for i, each in enumerate(shares)
        ]
        parts = [call.result() for call in calls]
    return {task: {name: interleave([part[task][name] for part in parts]) for name in ears} for task in sets}


def share(items: Sequence[Item], number: int, count: int) -> Sequence[Item]:
    """Every ``count``-th of the items from ``number`` on: long and short ones to all alike."""
    return items[number::count]


def interleave(shares: Sequence[Sequence[Item]]) -> list[Item]:
    """The items that were shared, in their order."""
    whole = sum(map(len, shares))
    return [shares[i % len(shares)][i // len(shares)] for i in range(whole)]


def _listen(
    ears: Mapping[str, Ear], sets: Mapping[str, Sequence[Utterance]], place: Place, title: str
) -> Answers:
    scene = Scene(place.data, place.cache)
    systems = {name: EdgeAsr(str(ear.bundle), ear.engine) for name, ear in ears.items()}
    answers: Answers = {}
    for task, utterances in sets.items():
        grammar = TASKS[task]
        for system in systems.values():
            system.prepare(grammar)
        found: dict[str, list[Answer]] = {name: [] for name in ears}
        for utterance in tqdm(utterances, desc=task + title, disable=None):
            samples = scene.hear(utterance, condition_of(task))
            for name, system in systems.items():
                found[name].append(Answer.of(utterance.text, system.hear(samples, grammar)))
        answers[task] = found
    return answers
