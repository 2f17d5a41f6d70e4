"""What is told of words whose pronunciation someone asked for or had to guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Source: TypeAlias = Literal["user", "lexicon", "guessed"]
"""Who says so: whoever added the word, the bundle's lexicon, or the letter-to-phone model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenWord:
    """One way to say a word."""

    word: str
    """As it is written in results."""
    phones: str
    """Names of the phones, separated by spaces."""
    source: Source
    """Where it comes from."""

    def __str__(self) -> str:
        return f"{self.source}: {self.word}  {self.phones}"


@dataclass(frozen=True, kw_only=True)
class WordReport:
    """All ways to say the words that were asked for: word after word, the preferred way first."""

    spoken: tuple[SpokenWord, ...]
    """Never empty for a word: a word that cannot be said is an error."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words, each once."""
        return tuple(dict.fromkeys(way.word for way in self.spoken))

    @property
    def guessed(self) -> tuple[SpokenWord, ...]:
        """What nobody vouches for: worth a look."""
        return tuple(way for way in self.spoken if way.source == "guessed")

    def of(self, word: str) -> tuple[SpokenWord, ...]:
        """All ways to say one word; none for a word that was not asked for."""
        return tuple(way for way in self.spoken if way.word == word)
