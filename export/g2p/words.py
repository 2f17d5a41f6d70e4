"""The dictionary's words, and which of them a letter-to-phone model never sees."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass

from export.dictionary import Dictionary, Pronunciation

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
"""What words are written in, in the order of the network's inputs. Words with anything else are left out:
hyphens and dots separate parts that are spoken one by one (edge_asr/decoder/spelling.py)."""


@dataclass(frozen=True, kw_only=True)
class DictionaryWord:
    """A word and all that the dictionary accepts for it."""

    word: str
    """In LETTERS."""
    ways: tuple[Pronunciation, ...]
    """The usual one first."""


def split_words(
    dictionary: Dictionary, *, share: float, seed: int
) -> tuple[list[DictionaryWord], list[DictionaryWord]]:
    """Words to learn, and words held out: a share of the families, chosen by a hash of their names.

    A word goes with all its pronunciations, and with its possessive and plural: whoever has learned
    "zebra" says "zebras" right, which would prove nothing.
    """
    learned: list[DictionaryWord] = []
    held_out: list[DictionaryWord] = []
    known = set(dictionary.words())
    for word in sorted(known):
        if set(word) <= set(LETTERS) and word.strip("'"):
            entry = DictionaryWord(word=word, ways=tuple(dictionary.pronunciations(word)))
            chosen = _fraction(f"{seed} {family(word, known)}") < share
            (held_out if chosen else learned).append(entry)
    return learned, held_out


def family(word: str, words: Container[str]) -> str:
    """The word that a possessive or plural is made of, as far as ``words`` has it; else the word."""
    stem = word.rstrip("'").removesuffix("'s")
    endings = (("ies", "y"), ("es", ""), ("s", ""))
    bases = [stem.removesuffix(ending) + instead for ending, instead in endings if stem.endswith(ending)]
    for base in bases:
        if base in words and base != word:
            return family(base, words)
    return stem or word


def _fraction(name: str) -> float:
    """A number from 0 to 1 that only the name decides."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
