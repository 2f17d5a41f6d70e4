"""What a search heard: words with their marks, times and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final, Literal, TypeAlias

import numpy as np

from edge_asr.arrays import Float64Array, Int32Array
from edge_asr.decoder.arena import Arena
from edge_asr.decoder.graph import Ending, Graph
from edge_asr.decoder.network import Mark, Path

Outcome: TypeAlias = Literal["complete", "partial", "silence", "incomplete"]
NO_OUTPUT: Final = -1
"""Of a word that no graph has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordHit:
    """One word on the best path."""

    word: str
    marks: tuple[Mark, ...] = ()
    """Marks left between the word before and this one."""
    start_frame: int
    """First frame in the state of the word's first token."""
    end_frame: int
    """One after the last frame in the state of its last token."""
    phones: tuple[int, ...]
    """The pronunciation or the spelling that matched, as token numbers."""
    weight: float
    """Graph weight spent within the word and what a language model added, natural log."""
    deficit: float
    """Acoustic score of the word's frames minus that of the best token in each of them; at most 0. Without
    a graph nothing is forced on the model: there the score is compared with that of all tokens together,
    which makes it a log posterior."""
    output: int = field(default=NO_OUTPUT, compare=False)
    """Number of the word among the graph's outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """The best path. Frames count from the last reset."""

    words: tuple[WordHit, ...] = ()
    marks: tuple[Mark, ...] = ()
    """Marks left after the last word."""
    network: str = ""
    """Name of the grammar; only a complete path has one."""
    outcome: Outcome
    """``complete``: a whole sentence. ``partial``: the best so far, from ``best``. ``silence``: the
    empty path beat every sentence. ``incomplete``: no sentence was finished; the empty path stands in.
    """
    score: float
    """Natural log: acoustic score, token offsets included, plus all weights."""
    silence_score: float
    """What the path that never left blank scores: no words at all."""
    deficit: float
    """Acoustic score of all frames minus that of the best token in each of them (of all tokens together
    without a graph); at most 0."""
    frames: int
    """Frames heard."""
    stable_words: int = 0
    """How many of the first words will stay: only silence can take them back."""

    @property
    def text(self) -> str:
        """The words, separated by spaces."""
        return " ".join(hit.word for hit in self.words)

    @property
    def path(self) -> Path:
        """The words with the marks that precede each, and None with the trailing marks."""
        return (*((hit.word, hit.marks) for hit in self.words), (None, self.marks))


@dataclass(frozen=True, slots=True)
class Span:
    """One word before its marks are dealt out. ``output`` indexes the graph's outputs."""

    output: int
    start_frame: int
    end_frame: int
    phones: tuple[int, ...]
    weight: float
    deficit: float


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The records of one path, oldest first, from a word's first phone on: (steps,) each."""

    arcs: Int32Array
    """Arc into each phone."""
    weights: Float64Array
    """What the arc cost."""
    starts: Int32Array
    """First frame in the phone."""
    scores: Float64Array
    """Score of the path before that frame."""
    ends: Int32Array
    """One after the last frame in the phone."""
    end_scores: Float64Array
    """Score of the path after it."""

    @classmethod
    def of(cls, arena: Arena, records: Int32Array, *, held_until: int, held_score: float) -> Steps:
        """The path over ``records``.

        Parameters
        ----------
        held_until: the frame after the last one in the last record's state.
        held_score: the score there.
        """
        return cls(
            arena.arcs[records],
            arena.weights[records],
            arena.frames[records],
            arena.scores[records],
            np.append(arena.held_until[records[1:]], np.int32(held_until))[: records.size],
            np.append(arena.held_scores[records[1:]], held_score)[: records.size],
        )

    def __getitem__(self, part: slice) -> Steps:
        return Steps(*(getattr(self, field.name)[part] for field in fields(self)))

    def lowered(self, by: float) -> Steps:
        """The same steps of a path that came to them with a worse score."""
        return replace(self, scores=self.scores - by, end_scores=self.end_scores - by)

    def followed(self, after: Steps) -> Steps:
        """These steps and then those."""
        return Steps(*(np.concatenate([getattr(self, f.name), getattr(after, f.name)]) for f in fields(self)))


def spans(graph: Graph, steps: Steps) -> tuple[list[Span], float]:
    """Cut a path into words; also what was spent on the unfinished word after them."""
    outputs = graph.arc_outputs[steps.arcs].tolist()
    labels = graph.arc_labels[steps.arcs].tolist()
    weights, scores, end_scores = steps.weights.tolist(), steps.scores.tolist(), steps.end_scores.tolist()
    starts, ends = steps.starts.tolist(), steps.ends.tolist()
    found: list[Span] = []
    first = 0
    for last, output in enumerate(outputs):
        if not output:
            continue
        weight = sum(weights[first : last + 1])
        deficit = end_scores[last] - scores[first] - weight
        phones = tuple(labels[first : last + 1])
        found.append(Span(output - 1, starts[first], ends[last], phones, weight, deficit))
        first = last + 1
    return found, sum(weights[first:])


def word_hits(
    graph: Graph, found: Sequence[Span], ending: Ending | None
) -> tuple[tuple[WordHit, ...], tuple[Mark, ...]]:
    """Deal out the marks: each word gets those since the word before; the rest is returned apart."""
    hits = []
    pending: tuple[Mark, ...] = ()
    for span in found:
        output = graph.outputs[span.output]
        hits.append(
            WordHit(
                word=output.word,
                marks=pending + output.before,
                start_frame=span.start_frame,
                end_frame=span.end_frame,
                phones=span.phones,
                weight=span.weight,
                deficit=span.deficit,
                output=span.output,
            )
        )
        pending = output.after
    return tuple(hits), pending + (ending.marks if ending else ())
