"""How often guesses are what the dictionary says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from export.dictionary import Pronunciation
from export.g2p.words import DictionaryWord


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Counts over some words."""

    words: int
    """How many were guessed."""
    wrong: int
    """Guesses that equal none of the dictionary's pronunciations."""
    phones: int
    """Phones of the pronunciation that each guess comes closest to."""
    edits: int
    """Phones inserted, left out or taken for others."""

    @property
    def word_error(self) -> float:
        """Share of wrong guesses."""
        return self.wrong / max(1, self.words)

    @property
    def phone_error(self) -> float:
        """Edits per phone."""
        return self.edits / max(1, self.phones)

    def __str__(self) -> str:
        return f"word error {self.word_error:.2%}, phone error {self.phone_error:.2%} on {self.words} words"


def count_errors(words: Sequence[DictionaryWord], guesses: Sequence[Pronunciation]) -> Errors:
    """Compare each guess with the pronunciation that it comes closest to."""
    wrong = phones = edits = 0
    for word, guess in zip(words, guesses, strict=True):
        distance, length = min((Levenshtein.distance(guess, way), len(way)) for way in word.ways)
        wrong += distance > 0
        edits += distance
        phones += length
    return Errors(words=len(words), wrong=wrong, phones=phones, edits=edits)
