"""How many of the first words every sentence begins with that may yet be listed, while alternatives are kept.

A sentence is listed at the end (``Alternatives.nbest``) where it lies at most ``within`` behind the best. Its
path is that of a hypothesis alive then, except that at some meetings it went the loser's way, and it scores
the sum of their gaps less than that hypothesis, which is no better than the best: so the gaps sum to at most
``within``. Now cut the path at any earlier frame. What it goes through there is alive there, or a loser of an
earlier meeting of something alive there, since later losers were alive before they lost; and the gaps of the
meetings so far, all at least 0, sum to at most ``within`` too. So what is listed at the end begins with one
of the *ways within reach* now: those that deviate from the path of a living hypothesis by gaps of at most
``within`` in all. Words at the beginning that all ways within reach share are in all that can be listed, and
the share only grows. Nothing is presumed of the future: whatever is added to a hypothesis (frames, final
weights, bonuses of phrases that change on the way) is added to all ways to it alike. What further shortens
the list, dead ends, pruning, settling or its length, takes away ways only.

Ways within reach need not be listed for that. All living hypotheses must have the words in common; and a
meeting within reach whose loser has other words behind it than its winner makes those unsafe that come after
the ones they share, none else: a way with any deviations becomes the path of a living hypothesis by taking
them back one by one, the latest last, where each step leaves the shared words as they are. So each
hypothesis carries with it, for each word, how little a way to it loses on which the words part before that
word, from meeting to meeting; gaps are counted in whole steps, rounded down, which takes ways to be within
reach that are not, never the other way round.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import BoolArray, Float64Array, Int64Array, native
from edge_asr.decoder.alternatives import Said, UInt64Array

UInt8Array: TypeAlias = NDArray[np.uint8]

_RECENT: Final = 16
"""Last words of each hypothesis that are compared."""
_AHEAD: Final = 64
"""Words after the stable ones that are told apart: more than anybody says until words settle."""
_STEPS: Final = 200
"""What ``within`` is counted in."""
_NEVER: Final = 255
"""More steps than are counted."""
_EVERY: Final = 4
"""Frames, 0.12 s, between two looks for what all have in common."""


class Met(NamedTuple):
    """Hypotheses that met a better one, with other words or other meetings behind it, (n,) each."""

    sources: Int64Array
    """Where each comes from."""
    winners: Int64Array
    """Which hypothesis is the better one now, ascending."""
    gaps: Float64Array
    """By how much it was better, natural log, at most ``within``."""
    said: Said
    """The words behind each."""


class Rivals:
    """The other words that living hypotheses and what they pushed aside may still bring.

    Parameters
    ----------
    within: how far (natural log) what is listed may be behind the best.
    """

    def __init__(self, *, within: float) -> None:
        self.stable = 0
        """How many of the first words stay, as of the last look."""
        self._steps_of_one = _STEPS / within
        self._settled = 0
        # (hypotheses, _RECENT) the number of the first w words is in column w modulo _RECENT.
        self._recent: UInt64Array = np.zeros((1, _RECENT), dtype=np.uint64)
        # (hypotheses, _AHEAD) what a way loses at the least whose words part after ``stable`` + column ones.
        self._lost: UInt8Array = np.full((1, _AHEAD), _NEVER, dtype=np.uint8)
        # (hypotheses,) of ways of which it is not known after how many words they part, the most it may be.
        self._unknown: Int64Array = np.full(1, -1, dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return self._recent.nbytes + self._lost.nbytes + self._unknown.nbytes

    def advance(self, frame: int, sources: Int64Array, said: Said, met: Met | None) -> None:
        """Go on over one frame.

        Parameters
        ----------
        sources: (hypotheses,) where each that lives now comes from.
        said: the words behind each.
        met: who lost.
        """
        recent, lost, unknown = self._recent, self._lost, self._unknown
        places = native(sources)
        self._recent = _with_last(recent.take(places, axis=0), said)
        self._lost = lost.take(places, axis=0)
        self._unknown = unknown.take(places)
        if met:
            places = native(met.sources)
            theirs = _with_last(recent.take(places, axis=0), met.said)
            self._meet(met, theirs, lost.take(places, axis=0), unknown.take(places), said)
        if (frame + 1) % _EVERY == 0 and sources.size:
            self._look(said)

    def _meet(self, met: Met, recent: UInt64Array, lost: UInt8Array, unknown: Int64Array, said: Said) -> None:
        """Add to the winners what the losers bring, whose rows are given."""
        winners = met.winners
        ours = said.chosen(winners)
        shared, known = _shared(recent, met.said, self._recent.take(native(winners), axis=0), ours)
        gaps = (met.gaps * self._steps_of_one).astype(np.uint8)
        lost = np.minimum(lost, _NEVER - gaps[:, None]) + gaps[:, None]
        differ = met.said.numbers != ours.numbers
        columns = shared - self.stable
        known &= columns < _AHEAD
        here = np.flatnonzero(differ & known)
        lost[here, columns[here]] = np.minimum(lost[here, columns[here]], gaps[here])
        unknown = np.where(differ & ~known, np.maximum(unknown, shared), unknown)
        begins = np.ones(winners.size, dtype=np.bool_)
        np.not_equal(winners[1:], winners[:-1], out=begins[1:])
        first = np.flatnonzero(begins)
        each = winners[first]
        self._lost[each] = np.minimum(self._lost[each], np.minimum.reduceat(lost, first))
        self._unknown[each] = np.maximum(self._unknown[each], np.maximum.reduceat(unknown, first))

    def _look(self, said: Said) -> None:
        """See how many words stay."""
        if self._unknown.max() >= self._settled:
            return
        shared, known = _shared(
            self._recent, said, self._recent[:1], said.chosen(np.zeros(1, dtype=np.int64))
        )
        if known.all():
            unsafe = np.flatnonzero(self._lost.min(axis=0) <= _STEPS)
            more = int(shared.min()) - self.stable
            self._shift(min(more, int(unsafe[0])) if unsafe.size else more)

    def settle(self, words: int) -> None:
        """So many of the first words have settled: what has others was forgotten."""
        self._settled = words
        self._shift(words - self.stable)

    def _shift(self, words: int) -> None:
        """So many more words are stable."""
        if words <= 0:
            return
        self.stable += words
        kept = self._lost[:, words:]
        self._lost = np.full_like(self._lost, _NEVER)
        self._lost[:, : kept.shape[1]] = kept


def _with_last(recent: UInt64Array, said: Said) -> UInt64Array:
    """``recent``, changed in place, after the words said now."""
    recent[np.arange(said.words.size), said.words % _RECENT] = said.numbers
    return recent


def _shared(
    recent: UInt64Array, said: Said, other_recent: UInt64Array, other: Said
) -> tuple[Int64Array, BoolArray]:
    """(n,) how many of their first words they share, or at the most, and whether it is known to be so many.

    Not known is where they part before what the longer one has of its last ``_RECENT`` words.
    """
    equal = np.count_nonzero(recent == other_recent, axis=1)
    return np.maximum(said.words, other.words) - _RECENT + equal, equal > 0
