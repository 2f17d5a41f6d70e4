"""What a letter-to-phone network learns from: words with a pronunciation each, in batches of one length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from export.dictionary import Pronunciation
from export.g2p.words import DictionaryWord


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One batch."""

    letters: Tensor
    """(words, length) numbers of letters."""
    phones: Tensor
    """(phones of all words,) numbers of tokens, word after word."""
    lengths: Tensor
    """(words,) phones of each."""


class Lessons:
    """All words to learn.

    Parameters
    ----------
    words: of the dictionary.
    letters, tokens: names by their numbers; a blank comes first among the tokens.
    frames_per_letter: answers that the network has for a letter; pronunciations with more phones than
        fit into a word's answers are left out (abbreviations: "w" has seven phones).
    """

    def __init__(
        self, words: Sequence[DictionaryWord], *, letters: str, tokens: Sequence[str], frames_per_letter: int
    ) -> None:
        letter_of = {letter: number for number, letter in enumerate(letters)}
        token_of = {token: number for number, token in enumerate(tokens)}
        self._letters: dict[int, list[list[int]]] = {}
        self._ways: dict[int, list[list[list[int]]]] = {}
        self.left_out = 0
        for word in words:
            frames = frames_per_letter * len(word.word)
            ways = [[token_of[phone] for phone in way] for way in word.ways if frames_of(way) <= frames]
            if ways:
                self._letters.setdefault(len(word.word), []).append([letter_of[ch] for ch in word.word])
                self._ways.setdefault(len(word.word), []).append(ways)
            else:
                self.left_out += 1

    def __len__(self) -> int:
        return sum(map(len, self._ways.values()))

    def epoch(self, number: int, *, seed: int, batch_letters: int) -> Iterator[Lesson]:
        """All words once, in random batches and order, each with one of its pronunciations at random."""
        rng = np.random.default_rng([seed, number])
        batches = []
        for length, ways in sorted(self._ways.items()):
            size = max(1, batch_letters // length)
            order = rng.permutation(len(ways))
            batches += [(length, order[first : first + size]) for first in range(0, len(ways), size)]
        for batch in rng.permutation(len(batches)):
            length, chosen = batches[batch]
            said = []
            for index in chosen:
                ways = self._ways[length][index]
                said.append(ways[int(rng.integers(len(ways)))])
            yield Lesson(
                letters=torch.tensor([self._letters[length][index] for index in chosen]),
                phones=torch.tensor([phone for way in said for phone in way]),
                lengths=torch.tensor([len(way) for way in said]),
            )

    def batches(self, batch_letters: int) -> int:
        """How many an epoch has."""
        return sum(-(-len(ways) // max(1, batch_letters // length)) for length, ways in self._ways.items())


def frames_of(way: Pronunciation) -> int:
    """Frames that CTC needs: one for each phone, and a blank between two equal ones."""
    return len(way) + sum(a == b for a, b in pairwise(way))
