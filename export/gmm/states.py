"""Which state of which phone, between which neighbours, shares which distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Int64Array

PHONE_STATES = 3
"""States of a phone, left to right."""
EDGE = 0
"""Neighbour of the first and last phone of an utterance. Pauses within an utterance are no neighbours: as
with the HTK Book's context-free ``sp``, phones see through them (section 10.2)."""


@dataclass(frozen=True)
class States:
    """Numbers of the distributions: silence has the first ones."""

    silence: int
    """How many states silence has; state s of it has distribution s."""
    table: Int64Array
    """(3, lefts, tokens, rights): distribution of a state of token c between l and r. lefts and rights are
    1 where neighbours do not matter, otherwise tokens. Column c = 0 is not used."""

    @property
    def tokens(self) -> int:
        """Phones and the edge."""
        return int(self.table.shape[2])

    @property
    def count(self) -> int:
        """Distributions."""
        return int(max(self.silence - 1, self.table[:, :, 1:].max())) + 1

    @classmethod
    def monophones(cls, tokens: int, silence: int) -> States:
        """Three distributions for each phone, whatever stands beside it."""
        table = np.zeros((PHONE_STATES, 1, tokens, 1), dtype=np.int64)
        numbers = silence + np.arange((tokens - 1) * PHONE_STATES).reshape(tokens - 1, PHONE_STATES)
        table[:, 0, 1:, 0] = numbers.T
        return cls(silence, table)

    @classmethod
    def separate(cls, tokens: int, silence: int) -> States:
        """A number of its own for every state between every two neighbours, for counting."""
        shape = (PHONE_STATES, tokens, tokens, tokens)
        return cls(silence, silence + np.arange(np.prod(shape)).reshape(shape))

    def of(self, labels: Int64Array) -> Int64Array:
        """(phones,) tokens -> (phones, 3) distributions."""
        beside = np.concatenate([[EDGE], labels, [EDGE]])
        left = beside[:-2] if self.table.shape[1] > 1 else np.zeros_like(labels)
        right = beside[2:] if self.table.shape[3] > 1 else np.zeros_like(labels)
        return self.table[:, left, labels, right].T
