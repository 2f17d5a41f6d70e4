"""From counts to probabilities: interpolated modified Kneser-Ney and Witten-Bell.

S. F. Chen and J. Goodman 1998, An empirical study of smoothing techniques for language modeling:
equations (24) and (26) for Kneser-Ney, section 2.5 for Witten-Bell. Both have the form
P(w | h) = taken(h, w) + left(h) P(w | h without its first word), down to equal shares for all words.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_asr.arrays import Float64Array, Int64Array
from export.lm.counts import Counts
from export.lm.model import START, BackoffModel, find, with_backoffs

_USUAL_DISCOUNTS = (0.5, 1.0, 1.5)
"""What stands in where a text is too small to tell (as KenLM's --discount_fallback does)."""
_NEVER = -np.log(10.0) * 99
"""What the ARPA format writes for zero."""

Level = tuple[Float64Array, Float64Array]
"""(n-grams,) what an n-gram keeps for itself; (n-grams,) what its history leaves to the shorter one."""


def kneser_ney(counts: Counts, words: tuple[str, ...]) -> BackoffModel:
    """Interpolated modified Kneser-Ney.

    Below the highest order an n-gram counts once for each word before it; one that begins a sentence
    has no word before it and keeps its count.
    """

    def level(order: int, history: Int64Array) -> Level:
        used = _continuations(counts, order) if order < len(counts.keys) else counts.counts[order - 1]
        discounts = discounts_of(used)[np.minimum(used, 3)]
        total = np.bincount(history, used)[history]
        left = np.bincount(history, discounts)[history]
        some = np.maximum(total, 1)
        return (used - discounts) / some, np.where(total > 0, left / some, 1.0)

    return _interpolated(counts, words, level)


def witten_bell(counts: Counts, words: tuple[str, ...]) -> BackoffModel:
    """Witten-Bell: what is left to words not seen after a history grows with the kinds that were seen."""

    def level(order: int, history: Int64Array) -> Level:
        used = counts.counts[order - 1]
        kinds = np.bincount(history, used > 0)[history]
        total = np.maximum(np.bincount(history, used)[history] + kinds, 1)
        return used / total, np.where(kinds > 0, kinds / total, 1.0)

    return _interpolated(counts, words, level)


SMOOTHINGS: dict[str, Callable[[Counts, tuple[str, ...]], BackoffModel]] = {
    "kneser-ney": kneser_ney,
    "witten-bell": witten_bell,
}


def discounts_of(counts: Int64Array) -> Float64Array:
    """(4,) what is taken off counts of 0, 1, 2 and 3 or more (Chen and Goodman, equation (26))."""
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(np.float64)
    if (n[1:5] == 0).any():
        return np.array([0.0, *_USUAL_DISCOUNTS])
    y = n[1] / (n[1] + 2 * n[2])
    discounts = np.array([0.0, *(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))])
    if (discounts[1:] <= 0).any() or (discounts > np.arange(4)).any():
        return np.array([0.0, *_USUAL_DISCOUNTS])
    return discounts


def _continuations(counts: Counts, order: int) -> Int64Array:
    """(n-grams,) how many different words stand before each n-gram of this order."""
    keys = counts.keys[order - 1]
    longer = counts.keys[order]
    before = np.bincount(find(keys, longer % counts.size**order), minlength=keys.size)
    begins = (keys // counts.size ** (order - 1) == START) & (order > 1)
    return np.where(begins, counts.counts[order - 1], before)


def _interpolated(
    counts: Counts, words: tuple[str, ...], level: Callable[[int, Int64Array], Level]
) -> BackoffModel:
    """Chain the levels. The beginning of a sentence is never predicted."""
    size = counts.size
    single = np.full(size, 1.0 / (size - 1))
    single[START] = 0.0
    taken, left = level(1, np.zeros(size, dtype=np.int64))
    probabilities = [taken + left * single]
    for order in range(2, len(counts.keys) + 1):
        keys = counts.keys[order - 1]
        taken, left = level(order, find(counts.keys[order - 2], keys // size))
        shorter = find(counts.keys[order - 2], keys % size ** (order - 1))
        probabilities.append(taken + left * probabilities[-1][shorter])
    with np.errstate(divide="ignore"):
        log_probs = [np.maximum(np.log(p), _NEVER) for p in probabilities]
    return with_backoffs(words, counts.keys, log_probs)
