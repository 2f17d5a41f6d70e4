"""How often each n-gram occurs in a text, read once from front to back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Int64Array
from export.lm.model import END, START, UNKNOWN, require_order

_WORD = re.compile(r"[a-z']+")
_CHUNK_WORDS = 1_000_000


@dataclass(frozen=True, eq=False)
class Counts:
    """n-grams and how often each occurs; each tuple holds one array per order."""

    size: int
    """Words of the vocabulary, the special ones included."""
    keys: tuple[Int64Array, ...]
    """(n-grams,) ascending; all single words are listed."""
    counts: tuple[Int64Array, ...]
    """(n-grams,)"""


def numbered(lines: Iterable[str], words: Sequence[str]) -> Iterator[Int64Array]:
    """Chunks of whole sentences as word numbers, each sentence between START and END.

    Parameters
    ----------
    lines: one sentence each, in any case; what is no letter or apostrophe separates words.
    words: the vocabulary; words that it lacks become UNKNOWN.
    """
    number = {word: index for index, word in enumerate(words)}
    chunk: list[int] = []
    for line in lines:
        found = words_of(line)
        if not found:
            continue
        chunk.append(START)
        chunk += [number.get(word, UNKNOWN) for word in found]
        chunk.append(END)
        if len(chunk) >= _CHUNK_WORDS:
            yield np.array(chunk, dtype=np.int64)
            chunk = []
    if chunk:
        yield np.array(chunk, dtype=np.int64)


def words_of(line: str) -> list[str]:
    """The words of a line in any case; what is no letter or apostrophe separates them."""
    return _WORD.findall(line.lower())


def windows(sentences: Int64Array, length: int, size: int) -> tuple[Int64Array, Int64Array]:
    """All n-grams of this length that lie within a sentence and within the vocabulary.

    Returns
    -------
    ends: the place of each n-gram's last word in ``sentences``.
    ngrams: the n-grams as numbers.
    """
    if sentences.size < length:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    count = sentences.size - length + 1
    last = sentences[length - 1 :]
    ngrams = last.copy()
    whole = (last != UNKNOWN) & (last != START)
    for back in range(1, length):
        word = sentences[length - 1 - back : length - 1 - back + count]
        ngrams += word * size**back
        whole &= (word != UNKNOWN) & (word != END)
    ends = np.flatnonzero(whole)
    return ends + length - 1, ngrams[ends]


def count_ngrams(chunks: Iterable[Int64Array], *, order: int, size: int) -> Counts:
    """Count the n-grams of order 1 to ``order``; those with an unknown word are passed over.

    Raises
    ------
    UsageError: n-grams of this order do not fit an integer.
    """
    require_order(order, size)
    keys: list[Int64Array] = [np.arange(size), *(np.empty(0, dtype=np.int64) for _ in range(1, order))]
    counts = [np.zeros(known.size, dtype=np.int64) for known in keys]
    for chunk in chunks:
        for length in range(1, order + 1):
            found = np.unique(windows(chunk, length, size)[1], return_counts=True)
            keys[length - 1], counts[length - 1] = _merged(keys[length - 1], counts[length - 1], *found)
    return Counts(size, tuple(keys), tuple(counts))


def _merged(
    keys: Int64Array, counts: Int64Array, more: Int64Array, more_counts: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """The union of two sorted lists of n-grams, counts added."""
    union, place = np.unique(np.concatenate([keys, more]), return_inverse=True)
    summed = np.bincount(place, np.concatenate([counts, more_counts]), minlength=union.size)
    return union, summed.astype(np.int64)
