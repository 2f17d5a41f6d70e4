"""How the living hypotheses of a search came about: words, times, scores, and what they pushed aside."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import Float64Array, Int32Array, Int64Array
from edge_asr.decoder.alternatives import STILL_HELD, Alternatives, Losers, Path, said_number
from edge_asr.decoder.arena import NONE, Arena
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.trace import Span, Steps, spans

FIRST_RECORDS = 1 << 16
"""Phones that fit before dead ones are looked for."""
SETTLE_AFTER: Final = 1500
"""Frames, about 45 s, after which words settle even where their alternatives are kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Moves:
    """Ways from one frame into the next, (n,) each; those who stay in their state come first."""

    sources: Int64Array
    """Hypothesis that each comes from."""
    arcs: Int64Array
    """Arc taken, ``NONE`` for who stays."""
    weights: Float64Array
    """What it cost, with what a language model added."""
    before: Float64Array
    """Score before the frame."""
    scores: Float64Array
    """Score after it."""
    keys: Int64Array
    """Who comes to the same key has the same future."""

    def __getitem__(self, chosen: NDArray[np.integer] | slice) -> Moves:
        return Moves(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


class Paths:
    """One path for each living hypothesis, which are known by their index.

    Parameters
    ----------
    graph: of the search.
    within: what came into a state this much (natural log) behind the best is kept for ``nbest``; 0
        keeps nothing.
    """

    def __init__(self, graph: Graph, *, within: float) -> None:
        self._graph = graph
        self._within = within
        self._arena = Arena(FIRST_RECORDS)
        self._alternatives = Alternatives() if within else None
        self._committed: list[Span] = []
        self._records: Int32Array = np.full(1, NONE, dtype=np.int32)
        self._held_until: Int32Array = np.zeros(1, dtype=np.int32)
        self._held_scores: Float64Array = np.zeros(1)

    @property
    def nbytes(self) -> int:
        """Size of the memory in bytes, committed words not counted."""
        return self._arena.nbytes + (self._alternatives.nbytes if self._alternatives else 0)

    def advance(self, frame: int, kept: Moves, labels: NDArray[np.int16], others: Moves | None) -> None:
        """Go on over one frame.

        Parameters
        ----------
        kept: what the hypotheses did that live now.
        labels: (hypotheses,) of the states they are in.
        others: everything that came near, ``kept`` included; needed where alternatives are kept.
        """
        lost = self._lost(kept, others) if self._alternatives and others else None
        room = kept.sources.size + (lost[0].sources.size if lost else 0)
        if self._arena.size + room > self._arena.capacity:
            self._collect(frame, room=room)
        found = self._losers(frame, *lost, labels) if lost else None
        after = self._enter(frame, kept, labels)
        if found:
            alternatives = self._alternatives
            assert alternatives
            alternatives.numbers, alternatives.words = self._said(kept)
            alternatives.events = alternatives.events[kept.sources]
            alternatives.note(found, after[0])
        self._records, self._held_until, self._held_scores = after

    def _enter(
        self, frame: int, moves: Moves, labels: NDArray[np.int16]
    ) -> tuple[Int32Array, Int32Array, Float64Array]:
        """Last record of each path, until when it was held, and the score there."""
        records = self._records[moves.sources]
        held_until = self._held_until[moves.sources]
        held_scores = self._held_scores[moves.sources]
        entering = np.flatnonzero((moves.arcs != NONE) & (labels > 0))
        records[entering] = self._arena.append(
            records[entering],
            moves.arcs[entering],
            moves.weights[entering],
            frame,
            moves.before[entering],
            held_until[entering],
            held_scores[entering],
        )
        sounding = np.flatnonzero(labels)
        held_until[sounding] = frame + 1
        held_scores[sounding] = moves.scores[sounding]
        return records, held_until, held_scores

    def _lost(self, kept: Moves, others: Moves) -> tuple[Moves, Int64Array, Float64Array]:
        """Those who met a better one, which hypothesis that is now, and by how much they lost.

        Left out is who has nothing behind it that the better one does not have too.
        """
        assert self._alternatives
        if not kept.keys.size:
            return others[:0], kept.keys, kept.scores
        order = kept.keys.argsort()
        place = np.minimum(kept.keys[order].searchsorted(others.keys), order.size - 1)
        winners = order[place]
        gaps = kept.scores[winners] - others.scores
        near = np.flatnonzero((kept.keys[winners] == others.keys) & (gaps <= self._within))
        moves, winners, gaps = others[near], winners[near], gaps[near]
        numbers, events = self._said(moves)[0], self._alternatives.events[moves.sources]
        same = numbers == self._said(kept)[0][winners]
        known = (events == NONE) | (events == self._alternatives.events[kept.sources[winners]])
        # The best of those with the same words and meetings behind them.
        order = np.lexsort((gaps, events, numbers, winners))
        order = order[~(same & known)[order]]
        first = np.ones(order.size, dtype=np.bool_)
        for column in (winners, numbers, events):
            first[1:] &= column[order][1:] == column[order][:-1]
        first[1:] = ~first[1:]
        chosen = order[first]
        return moves[chosen], winners[chosen], gaps[chosen]

    def _losers(
        self, frame: int, moves: Moves, winners: Int64Array, gaps: Float64Array, labels: NDArray[np.int16]
    ) -> Losers:
        assert self._alternatives
        states = labels[winners]
        records, held_until, held_scores = self._enter(frame, moves, states)
        held_until[states > 0] = STILL_HELD
        numbers, words = self._said(moves)
        return Losers(
            winners=winners,
            gaps=gaps,
            events=self._alternatives.events[moves.sources],
            records=records,
            held_until=held_until,
            held_scores=held_scores,
            numbers=numbers,
            words=words,
        )

    def _said(self, moves: Moves) -> tuple[NDArray[np.uint64], Int32Array]:
        """Numbers of the words behind each after its move, and how many they are."""
        assert self._alternatives
        outputs = np.where(moves.arcs == NONE, 0, self._graph.arc_outputs[moves.arcs])
        numbers = said_number(self._alternatives.numbers[moves.sources], outputs)
        words = self._alternatives.words[moves.sources] + (outputs > 0).astype(np.int32)
        return numbers, words

    def _collect(self, frame: int, room: int) -> None:
        """Make room in the arena: settle the words that all hypotheses share, forget dead paths."""
        arena, alternatives = self._arena, self._alternatives
        root = NONE
        if alternatives is None or frame >= SETTLE_AFTER:
            chain = arena.shared_chain(self._records)
            # A word is settled once a record follows it, which tells where it ended.
            word_ends = np.flatnonzero(self._graph.arc_outputs[arena.arcs[chain[:-1]]])
            if word_ends.size:
                settled = int(word_ends[-1]) + 1
                root = int(chain[settled])
                steps = Steps.of(
                    arena,
                    chain[:settled],
                    held_until=int(arena.held_until[root]),
                    held_score=float(arena.held_scores[root]),
                )
                self._committed += spans(self._graph, steps)[0]
        if alternatives is None:
            self._records = arena.compact(self._records, root=root, room=room)
            return
        if root != NONE:
            alternatives.forget_before(root, arena)
        named = alternatives.records()
        tips = arena.compact(np.concatenate([self._records, named]), root=root, room=room)
        self._records = tips[: self._records.size]
        alternatives.renumber(tips[self._records.size :])

    def said(self, hypothesis: int) -> bool:
        """Whether any phone lies on its path."""
        return bool(self._records[hypothesis] != NONE) or bool(self._committed)

    def held_until(self, hypothesis: int) -> int:
        """The frame after the last one in the last phone of its path."""
        return int(self._held_until[hypothesis])

    def stable_words(self) -> int:
        """How many of the first words all hypotheses share."""
        shared = self._arena.shared_chain(self._records)
        return len(self._committed) + int(np.count_nonzero(self._graph.arc_outputs[self._arena.arcs[shared]]))

    def trace(self, path: Path) -> tuple[list[Span], float]:
        """The words of a path, and what was spent on the unfinished one after them."""
        arena = self._arena
        records = arena.chain(int(self._records[path.hypothesis]))
        steps = Steps.of(
            arena,
            records,
            held_until=int(self._held_until[path.hypothesis]),
            held_score=float(self._held_scores[path.hypothesis]),
        )
        for meeting in path.deviations:
            assert self._alternatives
            way = self._alternatives.way(meeting)
            # From the record after the winner's last one on, both paths went the same way.
            at = 0 if way.winner == NONE else int(np.flatnonzero(records == way.winner)[0]) + 1
            if way.held_until == STILL_HELD:
                held_until, held_score = int(steps.ends[at - 1]), float(steps.end_scores[at - 1]) - way.gap
            else:
                held_until, held_score = way.held_until, way.held_score
            before = arena.chain(way.loser)
            records = np.concatenate([before, records[at:]])
            head = Steps.of(arena, before, held_until=held_until, held_score=held_score)
            steps = head.followed(steps[at:].lowered(way.gap))
        found, weight = spans(self._graph, steps)
        return self._committed + found, weight

    def nbest(self, scores: Float64Array, most: int) -> list[tuple[float, Path]]:
        """As :meth:`Alternatives.nbest`, within what was kept."""
        if self._alternatives is None:
            raise ValueError("alternatives were not kept: make the search with alternatives > 0")
        return self._alternatives.nbest(scores, most, within=self._within)
