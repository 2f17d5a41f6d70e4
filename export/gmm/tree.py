"""Which states between which neighbours sound alike: a decision tree for each state of each phone.

Source: S. Young, J. Odell and P. Woodland, "Tree-based state tying for high accuracy acoustic modelling",
HLT 1994; leaves are taken from all trees by gain, so that one bound holds for all together.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import BoolArray, Float64Array, Int64Array
from export.gmm.classes import log_likelihood
from export.gmm.states import PHONE_STATES, States


@dataclass(frozen=True)
class ContextStatistics:
    """What was seen of each state between each two neighbours."""

    contexts: Int64Array
    """(seen, 4): state, left, centre, right."""
    sums: Float64Array
    """(seen, 1 + 2 * values): frames, sum of the observations, sum of their squares."""

    def by_phone(self, tokens: int, state: int = 1) -> Float64Array:
        """(tokens, 1 + 2 * values): sums of one state of each phone, whatever stands beside it."""
        total = np.zeros((tokens, self.sums.shape[1]))
        chosen = self.contexts[:, 0] == state
        np.add.at(total, self.contexts[chosen, 2], self.sums[chosen])
        return total


@dataclass(frozen=True)
class Split:
    """The best question at a node."""

    gain: float
    """Log-likelihood added."""
    right: bool
    """Whether the right neighbour is asked about, else the left one."""
    group: BoolArray
    """(tokens,) who answers yes."""


def best_split(
    contexts: Int64Array, sums: Float64Array, questions: BoolArray, *, min_frames: float
) -> Split | None:
    """The question that adds most likelihood when (seen, ...) is divided; None where none may be asked.

    Both sides must have ``min_frames``.
    """
    total = sums.sum(axis=0)
    before = float(log_likelihood(total))
    best: Split | None = None
    for right, column in ((False, 1), (True, 3)):
        yes = questions[:, contexts[:, column]].astype(np.float64) @ sums
        no = total - yes
        gains = log_likelihood(yes) + log_likelihood(no) - before
        gains[np.minimum(yes[:, 0], no[:, 0]) < min_frames] = -np.inf
        k = int(gains.argmax())
        if np.isfinite(gains[k]) and (best is None or gains[k] > best.gain):
            best = Split(float(gains[k]), right, questions[k])
    return best


def grow_tree(
    statistics: ContextStatistics,
    questions: BoolArray,
    *,
    silence: int,
    leaves: int,
    min_frames: float,
    min_gain: float,
) -> tuple[States, Float64Array]:
    """Tie the states.

    Parameters
    ----------
    questions: (questions, tokens) groups of neighbours.
    leaves: the most that there may be, one for each state of each phone at least.

    Returns
    -------
    The states, and what each leaf has seen (leaves, 1 + 2 * values), in the order of the distributions
    after those of silence. Contexts that were never seen follow the answers to the same questions.
    """
    tokens = questions.shape[1]
    table = np.zeros((PHONE_STATES, tokens, tokens, tokens), dtype=np.int64)
    members: list[Int64Array] = []
    queue: list[tuple[float, int, Split]] = []

    def consider(leaf: int) -> None:
        own = members[leaf]
        split = best_split(statistics.contexts[own], statistics.sums[own], questions, min_frames=min_frames)
        if split is not None and split.gain >= min_gain:
            heapq.heappush(queue, (-split.gain, leaf, split))

    for centre in range(1, tokens):
        for state in range(PHONE_STATES):
            table[state, :, centre, :] = silence + len(members)
            seen = (statistics.contexts[:, 0] == state) & (statistics.contexts[:, 2] == centre)
            members.append(np.flatnonzero(seen))
            consider(len(members) - 1)
    while queue and len(members) < leaves:
        _, leaf, split = heapq.heappop(queue)
        own = members[leaf]
        yes = split.group[statistics.contexts[own, 3 if split.right else 1]]
        state, _, centre, _ = statistics.contexts[own[0]]
        here = table[state, :, centre, :]
        asked = split.group[None, :] if split.right else split.group[:, None]
        here[(here == silence + leaf) & asked] = silence + len(members)
        members[leaf] = own[~yes]
        members.append(own[yes])
        consider(leaf)
        consider(len(members) - 1)
    return States(silence, table), np.array([statistics.sums[own].sum(axis=0) for own in members])
