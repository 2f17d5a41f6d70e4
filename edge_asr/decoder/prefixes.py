"""The beam of the prefix beam search: one element per prefix in each array."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import Float64Array, Int32Array, Int64Array
from edge_asr.decoder.arena import NONE
from edge_asr.decoder.prefix_tree import ROOT
from edge_asr.decoder.tokens import BLANK

_ORPHAN = -1


@dataclass(kw_only=True, eq=False)
class Prefixes:
    """Scores are logarithms of posteriors, -inf where impossible.

    A sum and the best alignment that it contains are possible or impossible together.
    """

    nodes: Int64Array
    """In the prefix tree; no two are the same."""
    parents: Int64Array
    """Nodes of the prefixes that are shorter by one token."""
    lasts: Int64Array
    """Last tokens; blank for the empty prefix."""
    blank: Float64Array
    """Sum over the alignments that end in a blank."""
    sound: Float64Array
    """Sum over those that end in the last token."""
    best_blank: Float64Array
    """The best alignment that ends in a blank."""
    best_sound: Float64Array
    """The best one that ends in the last token."""
    blank_records: Int32Array
    """Where the best alignment that ends in a blank entered its last token, as a record of the arena."""
    held_until: Int32Array
    """Of the same alignment: the frame after the last one of that token."""
    held_scores: Float64Array
    """Its score there."""
    sound_records: Int32Array
    """Where the best alignment that ends in the last token entered it."""

    def __len__(self) -> int:
        return self.nodes.size

    @classmethod
    def at_the_start(cls) -> Prefixes:
        """The empty prefix, which is certain."""
        return cls(
            nodes=np.full(1, ROOT, dtype=np.int64),
            parents=np.full(1, _ORPHAN, dtype=np.int64),
            lasts=np.full(1, BLANK, dtype=np.int64),
            blank=np.zeros(1),
            sound=np.full(1, -np.inf),
            best_blank=np.zeros(1),
            best_sound=np.full(1, -np.inf),
            blank_records=np.full(1, NONE, dtype=np.int32),
            held_until=np.zeros(1, dtype=np.int32),
            held_scores=np.zeros(1),
            sound_records=np.full(1, NONE, dtype=np.int32),
        )

    def chosen(self, which: Int64Array | NDArray[np.bool_]) -> Prefixes:
        """Some of them."""
        return Prefixes(**{name: getattr(self, name)[which] for name in _FIELDS})

    def joined(self, others: Prefixes) -> Prefixes:
        """These, then ``others``."""
        return Prefixes(
            **{name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in _FIELDS}
        )

    def totals(self) -> Float64Array:
        """(prefixes,) posteriors of the prefixes, over all alignments."""
        totals: Float64Array = np.logaddexp(self.blank, self.sound)
        return totals

    def families(self) -> tuple[Int64Array, Int64Array]:
        """Positions of the prefixes whose parents are here too, and those of the parents."""
        order = np.argsort(self.nodes)
        place = np.searchsorted(self.nodes, self.parents, sorter=order)
        position = order[np.minimum(place, order.size - 1)]
        children = np.flatnonzero(self.nodes[position] == self.parents)
        return children, position[children]

    def best_ways(self, frame: int) -> Ways:
        """The best alignment of each, whichever way it ends, before ``frame``."""
        sounding = self.best_sound > self.best_blank
        return Ways(
            scores=np.maximum(self.best_sound, self.best_blank),
            records=np.where(sounding, self.sound_records, self.blank_records),
            held_until=np.where(sounding, np.int32(frame), self.held_until),
            held_scores=np.where(sounding, self.best_sound, self.held_scores),
        )

    def blank_ways(self) -> Ways:
        """The best alignment of each that ends in a blank."""
        return Ways(
            scores=self.best_blank,
            records=self.blank_records,
            held_until=self.held_until,
            held_scores=self.held_scores,
        )


_FIELDS = tuple(field.name for field in fields(Prefixes))


@dataclass(frozen=True, kw_only=True, eq=False)
class Ways:
    """One alignment for each prefix."""

    scores: Float64Array
    records: Int32Array
    """Entry of the last token."""
    held_until: Int32Array
    """The frame after the last one of that token."""
    held_scores: Float64Array
    """Score there."""

    def chosen(self, which: Int64Array) -> Ways:
        """Those of some prefixes."""
        return Ways(
            scores=self.scores[which],
            records=self.records[which],
            held_until=self.held_until[which],
            held_scores=self.held_scores[which],
        )

    def where(self, condition: NDArray[np.bool_], others: Ways) -> Ways:
        """These where the condition holds, else ``others``."""
        return Ways(
            scores=np.where(condition, self.scores, others.scores),
            records=np.where(condition, self.records, others.records),
            held_until=np.where(condition, self.held_until, others.held_until),
            held_scores=np.where(condition, self.held_scores, others.held_scores),
        )
