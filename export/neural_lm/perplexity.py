"""How well a network foretells the held-out sentences, per word, as ``python -m export lm`` says it.

-log P of all pieces of a word together is the word's; the mean is taken over words and ends of sentences.
A model of n-grams passes over words outside its vocabulary: where a lexicon was given, so is done here, and
the figure with all words stands beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from export.neural_lm.batches import Sentences
from export.neural_lm.network import PieceNetwork
from export.neural_lm.token_file import TokenFile

_BATCH_TOKENS = 1 << 13


@dataclass(frozen=True, kw_only=True)
class WordPerplexity:
    """Of one text's held-out sentences."""

    known: float
    """Over the words of the lexicon and the ends of sentences; NaN for none."""
    every: float
    """Over all words and the ends of sentences."""
    words: int
    """How many were counted in ``known``."""

    def __str__(self) -> str:
        return f"perplexity {self.known:.1f} over {self.words} words, {self.every:.1f} with unknown ones"


def word_perplexities(
    network: PieceNetwork, content: TokenFile, device: torch.device
) -> dict[str, WordPerplexity]:
    """Measure each text, by its name."""
    found: dict[str, WordPerplexity] = {}
    for text in content.texts:
        costs = piece_costs(network, text.held_out, device)
        begins = content.begins_word[text.held_out]
        counted, words = text.counted, int((begins & text.counted).sum())
        found[text.name] = WordPerplexity(
            known=_perplexity(float(costs[counted].sum()), words),
            every=_perplexity(float(costs.sum()), int(begins.sum())),
            words=words,
        )
    return found


def piece_costs(network: PieceNetwork, tokens: np.ndarray, device: torch.device) -> np.ndarray:
    """(tokens,) -log P of each token of these sentences, natural."""
    sentences = Sentences([tokens], device)
    costs = torch.zeros(tokens.size + 1, device=device)
    network.eval()
    with torch.no_grad():
        for batch in sentences.batches(np.arange(len(sentences)), _BATCH_TOKENS):
            targets = batch.places + 1
            logits = network(sentences.tokens[batch.places], batch.sentences)
            lost = F.cross_entropy(logits.float(), sentences.tokens[targets].long(), reduction="none")
            costs[targets.long()] = lost
    found: np.ndarray = costs[1:].cpu().numpy()
    return found


def _perplexity(cost: float, words: int) -> float:
    return math.exp(cost / words) if words else math.nan
