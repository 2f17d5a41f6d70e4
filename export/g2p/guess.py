"""Guesses of a network in torch: what the exported file is held against."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from edge_asr.arrays import Float32Array
from export.dictionary import Pronunciation
from export.g2p.network import LetterNetwork
from export.score import collapse

_WORDS_PER_RUN = 512


def letter_numbers(words: Sequence[str], letters: str) -> Tensor:
    """Words of one length as the network takes them: (words, length)."""
    return torch.tensor([[letters.index(letter) for letter in word] for word in words])


def answers(network: LetterNetwork, words: Sequence[str], letters: str) -> list[Float32Array]:
    """What the network says to each word: (frames, tokens), natural log."""
    found: dict[int, Float32Array] = {}
    lengths: dict[int, list[int]] = {}
    for index, word in enumerate(words):
        lengths.setdefault(len(word), []).append(index)
    with torch.inference_mode():
        for indices in lengths.values():
            for first in range(0, len(indices), _WORDS_PER_RUN):
                run = indices[first : first + _WORDS_PER_RUN]
                log_probs = network(letter_numbers([words[index] for index in run], letters))
                found |= zip(run, log_probs.numpy(), strict=True)
    return [found[index] for index in range(len(words))]


def read_off(log_probs: Sequence[Float32Array], tokens: Sequence[str]) -> list[Pronunciation]:
    """The phones of each answer by CTC's rule; may be empty."""
    return [tuple(tokens[token] for token in collapse(answer.argmax(axis=1))) for answer in log_probs]
