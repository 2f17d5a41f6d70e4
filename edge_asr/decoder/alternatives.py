"""What the best paths pushed aside: where hypotheses met in one state, and which ways led there.

A Viterbi search keeps the best of the hypotheses that meet. Here a loser is noted, with by how much it lost
(its *gap*): from there on both have the same future, so a whole path through the loser scores exactly that
much less. The meetings on a path form a chain, those on the loser's path another one: together they are the
lattice of all ways that the search saw, without its frames. From its beginning to its end the best word
sequences up to each meeting are listed, each sequence once, by its best alignment: without pruning the
n-best list is exact.

What words lie behind a hypothesis is told by a number, the polynomial sum_i h(word_i) P^(n-i) modulo 2^64:
equal sequences have equal numbers, others collide with a probability of about 2^-64 each.

Source: F. Soong and E.-F. Huang, "A tree-trellis based fast search for finding the n best sentence
hypotheses in continuous speech recognition", ICASSP 1991; the lists are merged forwards here.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from edge_asr.decoder.arena import NONE, Arena

UInt64Array: TypeAlias = NDArray[np.uint64]

_BASE: Final = 0x9E3779B97F4A7C15
_COLUMNS = (
    "previous",
    "losers",
    "gaps",
    "winner_records",
    "loser_records",
    "held_until",
    "held_scores",
    "winner_numbers",
    "winner_words",
    "loser_numbers",
    "loser_words",
)
STILL_HELD: Final = -1
"""``held_until`` of a loser that was still in the phone of its last record."""


def said_number(numbers: UInt64Array, outputs: Int64Array) -> UInt64Array:
    """Numbers of word sequences after one more word each; ``outputs`` (n,) count from 1, 0 is no word."""
    mixed = outputs.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(32)
    after: UInt64Array = np.where(outputs > 0, numbers * np.uint64(_BASE) + mixed, numbers)
    return after


class Said(NamedTuple):
    """The words behind hypotheses, (n,) each."""

    numbers: UInt64Array
    """What tells them apart."""
    words: Int32Array
    """How many they are."""

    def chosen(self, chosen: NDArray[np.integer]) -> Said:
        """Some of them."""
        return Said(self.numbers[chosen], self.words[chosen])


@dataclass(frozen=True, kw_only=True, eq=False)
class Losers:
    """Hypotheses that met a better one, with other words or other meetings behind it, one element each."""

    winners: Int64Array
    """Which living hypothesis won."""
    gaps: Float64Array
    """By how much, natural log."""
    events: Int32Array
    """The loser's own last meeting."""
    records: Int32Array
    """The loser's last record."""
    held_until: Int32Array
    """The frame after the last one in that record's state; ``STILL_HELD`` where the two met in it."""
    held_scores: Float64Array
    """The loser's score there."""
    numbers: UInt64Array
    """Of the words behind the loser."""
    words: Int32Array
    """How many they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a loser came to a meeting."""

    gap: float
    """By how much it lost."""
    winner: int
    """The winner's last record, ``NONE`` before its first."""
    loser: int
    """The loser's."""
    held_until: int
    """The frame after the last one in that record's state, or ``STILL_HELD``."""
    held_score: float
    """The loser's score there."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path, as its deviations from that of a living hypothesis."""

    hypothesis: int
    """Index of the hypothesis."""
    lost: float = 0.0
    """By how much it scores below that hypothesis's own path."""
    deviations: tuple[int, ...] = ()
    """Meetings at which it goes the loser's way, the latest first."""


class Alternatives:
    """All meetings on the ways of the living hypotheses, and the numbers of the words behind these."""

    def __init__(self, *, capacity: int = 1 << 14) -> None:
        self.size = 0
        self._allocate(capacity)
        self.events: Int32Array = np.full(1, NONE, dtype=np.int32)
        """(hypotheses,) the last meeting of each living hypothesis."""
        self.numbers: UInt64Array = np.zeros(1, dtype=np.uint64)
        """(hypotheses,) of the words behind each."""
        self.words: Int32Array = np.zeros(1, dtype=np.int32)
        """(hypotheses,) how many they are."""

    def _allocate(self, capacity: int) -> None:
        self.previous: Int32Array = np.empty(capacity, dtype=np.int32)
        self.losers: Int32Array = np.empty(capacity, dtype=np.int32)
        self.gaps: Float64Array = np.empty(capacity, dtype=np.float64)
        self.winner_records: Int32Array = np.empty(capacity, dtype=np.int32)
        self.loser_records: Int32Array = np.empty(capacity, dtype=np.int32)
        self.held_until: Int32Array = np.empty(capacity, dtype=np.int32)
        self.held_scores: Float64Array = np.empty(capacity, dtype=np.float64)
        self.winner_numbers: UInt64Array = np.empty(capacity, dtype=np.uint64)
        self.loser_numbers: UInt64Array = np.empty(capacity, dtype=np.uint64)
        self.winner_words: Int32Array = np.empty(capacity, dtype=np.int32)
        self.loser_words: Int32Array = np.empty(capacity, dtype=np.int32)

    @property
    def capacity(self) -> int:
        """Meetings that fit."""
        return self.previous.size

    @property
    def nbytes(self) -> int:
        """Size of the columns in bytes."""
        return sum(int(getattr(self, name).nbytes) for name in _COLUMNS)

    def note(self, found: Losers, records: Int32Array) -> None:
        """Note the meetings of a frame, after ``events``, ``numbers`` and ``words`` were set for it.

        Parameters
        ----------
        records: (hypotheses,) last record of each living hypothesis.
        """
        if not found.winners.size:
            return
        if self.size + found.winners.size > self.capacity:
            # Losers of this frame hold on to their meetings as the living do.
            held = self._compact(np.concatenate([self.events, found.events]), room=found.winners.size)
            self.events, events = held[: self.events.size], held[self.events.size :]
        else:
            events = found.events
        order = np.lexsort((found.gaps, found.winners))
        winners = found.winners[order]
        first, last = self.size, self.size + order.size
        begins = np.ones(order.size, dtype=np.bool_)
        np.not_equal(winners[1:], winners[:-1], out=begins[1:])
        ends = np.append(begins[1:], True)
        numbers = np.arange(first, last, dtype=np.int32)
        here = slice(first, last)
        self.previous[here] = np.where(begins, self.events[winners], numbers - 1)
        self.losers[here] = events[order]
        self.gaps[here] = found.gaps[order]
        self.winner_records[here] = records[winners]
        self.loser_records[here] = found.records[order]
        self.held_until[here] = found.held_until[order]
        self.held_scores[here] = found.held_scores[order]
        self.winner_numbers[here] = self.numbers[winners]
        self.loser_numbers[here] = found.numbers[order]
        self.winner_words[here] = self.words[winners]
        self.loser_words[here] = found.words[order]
        self.events[winners[ends]] = numbers[ends]
        self.size = last

    def records(self) -> Int32Array:
        """All records that meetings name, for the arena to keep; dead meetings are forgotten first."""
        self.events = self._compact(self.events, room=0)
        return np.concatenate([self.loser_records[: self.size], self.winner_records[: self.size]])

    def renumber(self, records: Int32Array) -> None:
        """Take the new numbers of ``records()``."""
        self.loser_records[: self.size], self.winner_records[: self.size] = np.split(records, 2)

    def forget_before(self, root: int, arena: Arena) -> None:
        """Forget the losers that do not descend from the record ``root``."""
        kept = arena.descend(root)[self.loser_records[: self.size]]
        self.events = self._keep(kept, self.events, room=0)

    def way(self, meeting: int) -> Way:
        """What is known of a meeting."""
        return Way(
            gap=float(self.gaps[meeting]),
            winner=int(self.winner_records[meeting]),
            loser=int(self.loser_records[meeting]),
            held_until=int(self.held_until[meeting]),
            held_score=float(self.held_scores[meeting]),
        )

    def _compact(self, events: Int32Array, *, room: int) -> Int32Array:
        """Forget what none of ``events`` descends from; return their new numbers. ``room`` more fit then."""
        marked = np.zeros(self.size, dtype=np.bool_)
        front = np.unique(events[events != NONE])
        while front.size:
            marked[front] = True
            front = np.concatenate([self.previous[front], self.losers[front]])
            front = np.unique(front[front != NONE])
            front = front[~marked[front]]
        return self._keep(marked, events, room=room)

    def _keep(self, marked: BoolArray, events: Int32Array, *, room: int) -> Int32Array:
        number = np.full(self.size + 1, NONE, dtype=np.int32)  # number[NONE] is NONE
        kept = np.flatnonzero(marked)
        number[kept] = np.arange(kept.size, dtype=np.int32)
        for gone in np.flatnonzero(~marked).tolist():
            number[gone] = number[self.previous[gone]]
        columns = {name: getattr(self, name)[kept] for name in _COLUMNS}
        columns["previous"], columns["losers"] = number[columns["previous"]], number[columns["losers"]]
        if 2 * (kept.size + room) > self.capacity:
            self._allocate(4 * (kept.size + room))
        for name, column in columns.items():
            getattr(self, name)[: kept.size] = column
        self.size = kept.size
        return number[events]

    def nbest(self, scores: Float64Array, most: int, *, within: float) -> list[tuple[float, Path]]:
        """Scores and paths of the best word sequences, the best first, each sequence once by its best path.

        Parameters
        ----------
        scores: (hypotheses,) of whole sentences, -inf where none may end.
        within: nothing is listed that is further (natural log) behind the best.
        """
        best = float(scores.max(initial=-np.inf))
        ends = np.flatnonzero(scores >= max(best - within, np.finfo(np.float64).min)).tolist()
        lists = self._prefixes({i: best - float(scores[i]) for i in ends}, most, within)
        found: list[tuple[_Prefix, int]] = []
        for i in ends:
            own = _Prefix(best - float(scores[i]), int(self.numbers[i]), int(self.words[i]), ())
            found += [(prefix, i) for prefix in self._onward(own, int(self.events[i]), lists)]
        found.sort(key=lambda item: (item[0].lost, item[1]))
        listed: dict[int, tuple[float, Path]] = {}
        for prefix, i in found:
            if len(listed) == most:
                break
            if prefix.number not in listed:
                lost = prefix.lost - (best - float(scores[i]))
                listed[prefix.number] = (best - prefix.lost, Path(i, lost, _unlinked(prefix.deviations)))
        return list(listed.values())

    def _prefixes(self, ends: dict[int, float], most: int, within: float) -> dict[int, list[_Prefix]]:
        """The best word sequences up to each meeting that a path within reach goes through."""
        reach: dict[int, float] = {}
        queue: list[int] = []

        def offer(event: int, lost: float) -> None:
            if event != NONE and lost <= within:
                if event not in reach:
                    heapq.heappush(queue, -event)
                reach[event] = min(lost, reach.get(event, math.inf))

        for i, lost in ends.items():
            offer(int(self.events[i]), lost)
        order = []
        while queue:
            event = -heapq.heappop(queue)  # all that come after it were seen
            order.append(event)
            offer(int(self.previous[event]), reach[event])
            offer(int(self.losers[event]), reach[event] + float(self.gaps[event]))
        lists: dict[int, list[_Prefix]] = {}
        for event in reversed(order):
            winner = _Prefix(0.0, int(self.winner_numbers[event]), int(self.winner_words[event]), ())
            gap = float(self.gaps[event])
            loser = _Prefix(gap, int(self.loser_numbers[event]), int(self.loser_words[event]), ())
            found = self._onward(winner, int(self.previous[event]), lists)
            if gap + reach[event] <= within:
                found += [
                    prefix._replace(deviations=(event, prefix.deviations))
                    for prefix in self._onward(loser, int(self.losers[event]), lists)
                ]
            found.sort(key=lambda prefix: prefix.lost)
            listed: dict[int, _Prefix] = {}
            for prefix in found:
                if len(listed) == most or prefix.lost + reach[event] > within:
                    break
                listed.setdefault(prefix.number, prefix)
            lists[event] = list(listed.values())
        return lists

    def _onward(self, own: _Prefix, event: int, lists: dict[int, list[_Prefix]]) -> list[_Prefix]:
        """What is listed up to ``event``, continued as ``own`` continues the first of it."""
        if event == NONE:
            return [own]
        number, words = int(self.winner_numbers[event]), int(self.winner_words[event])
        shift = pow(_BASE, own.words - words, 1 << 64)
        return [
            _Prefix(
                own.lost + prefix.lost,
                (own.number + (prefix.number - number) * shift) % (1 << 64),
                own.words - words + prefix.words,
                prefix.deviations,
            )
            for prefix in lists[event]
        ]


_Links: TypeAlias = "tuple[()] | tuple[int, _Links]"
"""Deviations as pairs of the latest and those before it."""


class _Prefix(NamedTuple):
    """Words up to a meeting."""

    lost: float
    """By how much they score below the meeting's winner."""
    number: int
    words: int
    deviations: _Links


def _unlinked(links: _Links) -> tuple[int, ...]:
    found = []
    while links:
        found.append(links[0])
        links = links[1]
    return tuple(found)
