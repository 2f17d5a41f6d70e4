"""A back-off n-gram model as sorted integers: what estimation, mixing and pruning work on.

An n-gram is one number, its words the digits to the base of the vocabulary's size: sorting,
prefixes and suffixes become arithmetic on whole arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_asr.arrays import BoolArray, Float64Array, Int64Array
from edge_asr.errors import UsageError

UNKNOWN: Final = 0
START: Final = 1
END: Final = 2
SPECIAL: Final = ("<unk>", "<s>", "</s>")
"""The first words of every vocabulary: any other word, the beginning and the end of a sentence."""

_INT64_BITS = 63
_NO_MASS = 1e-12


def vocabulary(words: Iterable[str]) -> tuple[str, ...]:
    """Words in the order of their numbers: the special ones, then ``words`` sorted, each once."""
    return (*SPECIAL, *sorted(set(words) - set(SPECIAL)))


def require_order(order: int, words: int) -> None:
    """Refuse n-grams that do not fit an integer.

    Raises
    ------
    UsageError: ``order`` words of a vocabulary of ``words`` need more than 63 bits.
    """
    if words**order >= 1 << _INT64_BITS:
        raise UsageError(f"n-grams of order {order} over {words} words do not fit 63 bits: lower the order")


@dataclass(frozen=True, eq=False)
class BackoffModel:
    """n-grams of order 1 to ``order``; each tuple holds one array per order, the first for single words.

    P(w | h) is exp(log_prob) of a listed n-gram (h, w), else exp(backoff) of h, or 1 where h is not
    listed, times P(w | h without its first word).
    """

    words: tuple[str, ...]
    """The vocabulary; the number of a word is its place."""
    keys: tuple[Int64Array, ...]
    """(n-grams,) ascending; all single words are listed."""
    log_probs: tuple[Float64Array, ...]
    """(n-grams,) natural log."""
    backoffs: tuple[Float64Array, ...]
    """(n-grams,) natural log, 0 where nothing longer begins with the n-gram."""

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.keys)

    @property
    def ngrams(self) -> int:
        """Number of n-grams of all orders."""
        return sum(keys.size for keys in self.keys)

    def log_prob(self, ngrams: Int64Array, length: int) -> Float64Array:
        """log P(last word | words before it), natural, of any n-grams of this length."""
        size = len(self.words)
        total = np.zeros(ngrams.size)
        pending = np.arange(ngrams.size)
        for order in range(length, 0, -1):
            at = find(self.keys[order - 1], ngrams)
            listed = at >= 0
            total[pending[listed]] += self.log_probs[order - 1][at[listed]]
            ngrams, pending = ngrams[~listed], pending[~listed]
            if order > 1:
                history = find(self.keys[order - 2], ngrams // size)
                known = history >= 0
                total[pending[known]] += self.backoffs[order - 2][history[known]]
                ngrams = ngrams % size ** (order - 1)
        return total

    def kept(self, masks: Sequence[BoolArray]) -> BackoffModel:
        """The model of the n-grams that ``masks`` keeps (one mask per order), back-offs made anew."""
        return with_backoffs(
            self.words,
            [keys[mask] for keys, mask in zip(self.keys, masks, strict=True)],
            [log_probs[mask] for log_probs, mask in zip(self.log_probs, masks, strict=True)],
        )


def find(keys: Int64Array, wanted: Int64Array) -> Int64Array:
    """(wanted,) the place of each number in the ascending ``keys``, or -1."""
    if not keys.size:
        return np.full(wanted.size, -1)
    at = np.minimum(keys.searchsorted(wanted), keys.size - 1)
    return np.where(keys[at] == wanted, at, -1)


def with_backoffs(
    words: tuple[str, ...], keys: Sequence[Int64Array], log_probs: Sequence[Float64Array]
) -> BackoffModel:
    """The model that lists these n-grams: back-offs give what they leave to the words not listed."""
    model = BackoffModel(words, (keys[0],), (log_probs[0],), (np.zeros(keys[0].size),))
    for ngrams, explicit in zip(keys[1:], log_probs[1:], strict=True):
        # All of the lower orders is known by now, their back-offs included.
        lower = model.log_prob(ngrams % len(words) ** model.order, model.order)
        history = find(model.keys[-1], ngrams // len(words))
        left = 1.0 - np.bincount(history, np.exp(explicit), minlength=model.keys[-1].size)
        share = 1.0 - np.bincount(history, np.exp(lower), minlength=model.keys[-1].size)
        backoffs = np.zeros(model.keys[-1].size)
        # Where every word is listed nothing is left and nobody asks.
        some = np.unique(history[(left[history] > _NO_MASS) & (share[history] > _NO_MASS)])
        backoffs[some] = np.log(left[some] / share[some])
        model = BackoffModel(
            words,
            (*model.keys, ngrams),
            (*model.log_probs, explicit),
            (*model.backoffs[:-1], backoffs, np.zeros(ngrams.size)),
        )
    return model
