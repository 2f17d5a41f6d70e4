"""Words as pieces: what a neural language model reads and foretells.

A word is the marker of its beginning and its letters, cut into the pieces whose logarithms sum highest
(T. Kudo 2018, Subword regularization, the unigram model's best segmentation). Of equal sums the cut whose
last piece is longest wins, and so on backwards: a word is cut the same everywhere.
"""

from __future__ import annotations

import math
import string
import unicodedata
from collections.abc import Sequence
from typing import Final

from edge_asr.errors import BundleError

MARK: Final = "_"
"""Begins every word."""
LETTERS: Final = string.ascii_lowercase + "'"
"""What words are written in here; accents are taken off, everything else is passed over."""
BOUNDARY: Final = 0
"""The number before a sentence's first piece and after its last."""

_CACHED_WORDS = 1 << 14


class WordPieces:
    """Cuts words. Pieces have the numbers from 1 on in the order given; 0 is the boundary of sentences.

    Parameters
    ----------
    pieces: of letters; the marker stands at the beginning of a piece or nowhere.
    log_probs: natural log, one each.

    Raises
    ------
    BundleError: a piece stands twice or holds another character, or a letter or the marker is no piece.
    """

    def __init__(self, pieces: Sequence[str], log_probs: Sequence[float]) -> None:
        self.pieces = tuple(pieces)
        """By number, from 1."""
        self.log_probs = tuple(float(log_prob) for log_prob in log_probs)
        """Natural log, one for each piece."""
        if len(self.pieces) != len(self.log_probs) or not all(map(math.isfinite, self.log_probs)):
            raise BundleError(
                f"pieces of words: expected {len(self.pieces)} finite logarithms, got {self.log_probs!r:.60}"
            )
        for piece in self.pieces:
            if not piece or set(piece.removeprefix(MARK)) - set(LETTERS):
                raise BundleError(f"pieces of words: expected letters a to z and apostrophes, got {piece!r}")
        self._known = {piece: number for number, piece in enumerate(self.pieces, start=1)}
        if len(self._known) != len(self.pieces):
            twice = next(p for number, p in enumerate(self.pieces, start=1) if self._known[p] != number)
            raise BundleError(f"pieces of words: {twice!r} stands twice")
        lacking = [letter for letter in MARK + LETTERS if letter not in self._known]
        if lacking:
            raise BundleError(f"pieces of words: {lacking[0]!r} is no piece, so not every word can be cut")
        self._longest = max(map(len, self.pieces))
        self._cuts: dict[str, tuple[int, ...]] = {}

    def __len__(self) -> int:
        """How many numbers there are, the boundary's included."""
        return len(self.pieces) + 1

    def encode(self, word: str) -> tuple[int, ...]:
        """Numbers of the word's pieces, never none: of a word without letters only the marker."""
        found = self._cuts.get(word)
        if found is None:
            if len(self._cuts) >= _CACHED_WORDS:
                self._cuts.clear()
            found = self._cuts[word] = self._cut(MARK + plain_letters(word))
        return found

    def _cut(self, marked: str) -> tuple[int, ...]:
        """The best cut, by Viterbi over the ends of pieces."""
        best = [0.0] + [-math.inf] * len(marked)
        last = [0] * (len(marked) + 1)
        for end in range(1, len(marked) + 1):
            for start in range(max(0, end - self._longest), end):
                number = self._known.get(marked[start:end])
                if number is not None and best[start] + self.log_probs[number - 1] > best[end]:
                    best[end], last[end] = best[start] + self.log_probs[number - 1], start
        numbers: list[int] = []
        end = len(marked)
        while end:
            numbers.append(self._known[marked[last[end] : end]])
            end = last[end]
        return tuple(reversed(numbers))


def plain_letters(word: str) -> str:
    """The word in ``LETTERS``: lower case, accents taken off, everything else left out."""
    folded = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in folded if letter in LETTERS)
