"""How the living hypotheses of a search came about: words, times, scores, and what they pushed aside."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import Float64Array, Int32Array, Int64Array
from edge_asr.decoder.alternatives import STILL_HELD, Alternatives, Losers, Path, Said, Way, said_number
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


class _Lost(NamedTuple):
    """Who met a better one, (n,) each."""

    moves: Moves
    winners: Int64Array
    """Which hypothesis is the better one now."""
    gaps: Float64Array
    """By how much it was better."""
    said: Said
    """The words behind each."""


class Unsettled(NamedTuple):
    """The words of a path that have not settled."""

    words: list[int]
    """Their numbers."""
    ends: dict[int, int]
    """Of ``Paths.shared_ends`` those that lie on the path, and how many of the words come before each."""


class Paths:
    """One path for each living hypothesis, which are known by their index.

    Parameters
    ----------
    graph: of the search.
    within: what came into a state this much (natural log) behind the best is kept for ``nbest``; 0
        keeps nothing.
    chosen: whether words settle by ``settle`` alone and other words than those of the best path may; what
        has settled is stable then. Else what all hypotheses share is stable, whatever its alternatives, and
        settles when memory is short.
    """

    def __init__(self, graph: Graph, *, within: float, chosen: bool = False) -> None:
        self._graph = graph
        self._within = within
        self._chosen = chosen
        self._arena = Arena(FIRST_RECORDS)
        self._alternatives = Alternatives() if within else None
        self._committed: list[Span] = []
        self.lost = 0.0
        """By how much the settled words score below those that the hypotheses came through."""
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
        others: everything else that came near, ``kept`` may be among it; needed where alternatives are kept.
        """
        said = self._said(kept) if self._alternatives else None
        lost = self._lost(kept, said, others) if said and others and others.keys.size else None
        room = kept.sources.size + (lost.moves.sources.size if lost else 0)
        if self._arena.size + room > self._arena.capacity:
            self._collect(frame, room=room)
        found = self._losers(frame, lost, labels) if lost else None
        after = self._enter(frame, kept, labels)
        if self._alternatives and said:
            alternatives = self._alternatives
            alternatives.numbers, alternatives.words = said
            alternatives.events = alternatives.events[kept.sources]
            if found:
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

    def _lost(self, kept: Moves, said: Said, others: Moves) -> _Lost | None:
        """Those who met a better one; None where nobody did.

        Left out is who has nothing behind it that the better one does not have too.
        """
        assert self._alternatives
        if not kept.keys.size:
            return None
        order = kept.keys.argsort()
        ordered = kept.keys[order]
        place = np.minimum(ordered.searchsorted(others.keys), order.size - 1)
        winners = order[place]
        gaps = kept.scores[winners] - others.scores
        near = np.flatnonzero((gaps <= self._within) & (ordered[place] == others.keys))
        if not near.size:
            return None
        moves, winners, gaps = others[near], winners[near], gaps[near]
        lost, events = self._said(moves), self._alternatives.events[moves.sources]
        same = lost.numbers == said.numbers[winners]
        known = (events == NONE) | (events == self._alternatives.events[kept.sources[winners]])
        new = np.flatnonzero(~(same & known))
        if not new.size:
            return None
        winners, gaps, events, lost = winners[new], gaps[new], events[new], lost.chosen(new)
        # The best of those with the same words and meetings behind them.
        order = np.lexsort((gaps, events, lost.numbers, winners))
        first = np.ones(order.size, dtype=np.bool_)
        for column in (winners, lost.numbers, events):
            first[1:] &= column[order][1:] == column[order][:-1]
        first[1:] = ~first[1:]
        chosen = order[first]
        return _Lost(moves[new[chosen]], winners[chosen], gaps[chosen], lost.chosen(chosen))

    def _losers(self, frame: int, lost: _Lost, labels: NDArray[np.int16]) -> Losers:
        assert self._alternatives
        states = labels[lost.winners]
        records, held_until, held_scores = self._enter(frame, lost.moves, states)
        held_until[states > 0] = STILL_HELD
        return Losers(
            winners=lost.winners,
            gaps=lost.gaps,
            events=self._alternatives.events[lost.moves.sources],
            records=records,
            held_until=held_until,
            held_scores=held_scores,
            numbers=lost.said.numbers,
            words=lost.said.words,
        )

    def _said(self, moves: Moves) -> Said:
        """The words behind each after its move."""
        assert self._alternatives
        numbers = self._alternatives.numbers[moves.sources]
        words = self._alternatives.words[moves.sources]
        # Few moves end a word.
        moving = np.flatnonzero(moves.arcs != NONE)
        outputs = self._graph.arc_outputs.take(moves.arcs[moving]).astype(np.int64)
        ends = np.flatnonzero(outputs)
        ended = moving[ends]
        numbers[ended] = said_number(numbers[ended], outputs[ends])
        words[ended] += 1
        return Said(numbers, words)

    def _collect(self, frame: int, room: int) -> None:
        """Make room in the arena: settle the words that all hypotheses share, forget dead paths."""
        settles = not self._chosen and (self._alternatives is None or frame >= SETTLE_AFTER)
        self._compact(self._settle() if settles else NONE, room=room)

    def _settle(self) -> int:
        """Settle words that all hypotheses share; the first record that is kept, ``NONE`` for all of them."""
        shared = self.shared_ends()
        if not shared.size:
            return NONE
        arena, root = self._arena, int(shared[-1])
        steps = Steps.of(
            arena,
            arena.chain(root)[:-1],
            held_until=int(arena.held_until[root]),
            held_score=float(arena.held_scores[root]),
        )
        self._committed += spans(self._graph, steps)[0]
        return root

    def shared_ends(self) -> Int32Array:
        """Where words may settle: (n,) records, ascending, the one after each word that all came through.

        It tells where the word ended.
        """
        chain = self._arena.shared_chain(self._records)
        return chain[np.flatnonzero(self._outputs(chain[:-1])) + 1]

    def ended(self, ends: Int32Array, before: int) -> Int32Array:
        """(n,) those of ``shared_ends`` whose words ended before the frame ``before``."""
        return ends[self._arena.held_until[ends] <= before]

    def settle(self, path: Path, end: int) -> None:
        """Settle a path's words up to one of ``shared_ends``; what does not go on from there is forgotten."""
        records, joins = self._way(path)
        root = int(np.flatnonzero(records == end)[0])
        words = int(np.count_nonzero(self._outputs(records[:root])))
        self._committed += self.trace(path)[0][len(self._committed) :][:words]
        for meeting, left in zip(path.deviations, joins, strict=True):
            if root >= records.size - left:
                assert self._alternatives
                self.lost += float(self._alternatives.gaps[meeting])
        self._compact(end, room=0)

    def unsettled(self, path: Path, ends: Int32Array) -> Unsettled:
        """What a path says that has not settled; ``ends`` (n,) are ``shared_ends`` or some of them."""
        records, _ = self._way(path)
        outputs = self._outputs(records)
        on_it = np.flatnonzero(np.isin(records, ends))
        before = np.cumsum(outputs > 0)[on_it - 1]
        words = [output - 1 for output in outputs.tolist() if output]
        return Unsettled(words, dict(zip(records[on_it].tolist(), before.tolist(), strict=True)))

    def _outputs(self, records: Int32Array) -> Int32Array:
        """(records,) the word that each ends, counted from 1; 0 for none."""
        return self._graph.arc_outputs[self._arena.arcs[records]]

    def _way(self, path: Path) -> tuple[Int32Array, list[int]]:
        """The records of a path, and of each deviation how many of them come after its meeting."""
        records = self._arena.chain(int(self._records[path.hypothesis]))
        joins = []
        for meeting in path.deviations:
            assert self._alternatives
            way = self._alternatives.way(meeting)
            after = records[_joined(records, way) :]
            joins.append(after.size)
            records = np.concatenate([self._arena.chain(way.loser), after])
        return records, joins

    @property
    def settled_words(self) -> int:
        """How many words have settled."""
        return len(self._committed)

    def _compact(self, root: int, room: int) -> None:
        """Forget dead paths and what came before ``root``."""
        arena, alternatives = self._arena, self._alternatives
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
        """How many of the first words stay: those that have settled, or that all hypotheses share."""
        if self._chosen:
            return len(self._committed)
        shared = self._arena.shared_chain(self._records)
        return len(self._committed) + int(np.count_nonzero(self._outputs(shared)))

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
            at = _joined(records, way)
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

    def nbest(
        self, scores: Float64Array, most: int, *, within: float | None = None
    ) -> list[tuple[float, Path]]:
        """As :meth:`Alternatives.nbest`, within what was kept or closer."""
        if self._alternatives is None:
            raise ValueError("alternatives were not kept: make the search with alternatives > 0")
        return self._alternatives.nbest(scores, most, within=min(self._within, within or self._within))


def _joined(records: Int32Array, way: Way) -> int:
    """Where the meeting lies in the winner's records: after its last one. From there on both went one way."""
    return 0 if way.winner == NONE else int(np.flatnonzero(records == way.winner)[0]) + 1
