"""What a whole recognizer refuses and accepts: every utterance counts, however it was heard.

``confidence.py`` fits presets on sentences that were heard, rightly or not; here those count, too, that were
taken for noise or for half a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from benchmarks.accuracy import KITCHEN_TABLE
from benchmarks.conditions import CLEAN, Condition
from benchmarks.spoken_commands import GRAMMAR
from edge_asr.arrays import Float32Array
from edge_asr.decoder.graph import Graph
from edge_asr.events import Final
from edge_asr.recognizer import Recognizer
from export.corpus import Utterance

HOME = Path(__file__).parents[1] / "edge_asr" / "samples" / "home.yaml"
GRID = GRAMMAR.with_name("grid.jsgf")
REFUSED = -1.0
"""Stands for the confidence of what no preset accepts."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One set of recordings and the grammar that hears it."""

    title: str
    """Of its row."""
    name: str
    """The set."""
    grammar: Path
    condition: Condition
    own: bool
    """Whether the set says the grammar's sentences: then refusing is wrong, else accepting."""

    @property
    def row(self) -> str:
        """What is counted."""
        return f"{self.title}: {'refused' if self.own else 'accepted'} of all"


CASES = (
    Case(title="commands in quiet", name="commands", grammar=GRAMMAR, condition=CLEAN, own=True),
    Case(title="commands in noise", name="commands", grammar=GRAMMAR, condition=KITCHEN_TABLE, own=True),
    Case(title="grid", name="grid", grammar=GRID, condition=CLEAN, own=True),
    Case(title="librispeech by home.yaml", name="librispeech", grammar=HOME, condition=CLEAN, own=False),
)


def certainties(
    recognizer: Recognizer,
    sets: Mapping[str, Sequence[Utterance]],
    hear: Callable[[Utterance, Condition], Float32Array],
) -> dict[Case, list[float]]:
    """The confidence of each utterance of every case, or REFUSED.

    Parameters
    ----------
    hear: gives the samples of an utterance as they sound under a condition.
    """
    graphs = {case.grammar: recognizer.compile([case.grammar]) for case in CASES}
    return {
        case: [
            certainty(recognizer, graphs[case.grammar], hear(utterance, case.condition))
            for utterance in tqdm(sets[case.name], desc=case.title, disable=None)
        ]
        for case in CASES
    }


def certainty(recognizer: Recognizer, graph: Graph, samples: Float32Array) -> float:
    """How sure one recording is; REFUSED where it is rejected whatever the preset."""
    stream = recognizer.stream(graph=graph, rejection="off")
    stream.accept_waveform(samples)
    event = stream.finish()[0]
    return event.confidence if isinstance(event, Final) else REFUSED


def operating_points(found: Mapping[Case, Sequence[float]], least: float) -> Iterator[tuple[str, float]]:
    """Share of each case's utterances that goes wrong where ``least`` is the least confidence."""
    for case, confidences in found.items():
        accepted = [confidence >= max(least, 0.0) for confidence in confidences]
        wrong = accepted.count(not case.own)
        yield case.row, round(wrong / max(1, len(accepted)), 4)
