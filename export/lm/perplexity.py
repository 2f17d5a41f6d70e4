"""How well a model foretells text that it has not seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Int64Array
from export.lm.counts import windows
from export.lm.model import START, UNKNOWN, BackoffModel


@dataclass(frozen=True, kw_only=True)
class Perplexity:
    """Over all words that the vocabulary holds and all ends of sentences."""

    perplexity: float
    """exp of the mean -log P; NaN for no words."""
    words: int
    """Words and ends of sentences that were foretold."""
    unknown: int
    """Words outside the vocabulary: not foretold, and no history reaches over them."""

    def __str__(self) -> str:
        rate = self.unknown / max(1, self.words + self.unknown)
        return f"perplexity {self.perplexity:.1f} over {self.words} words, {rate:.2%} more unknown"


def perplexity(model: BackoffModel, chunks: Iterable[Int64Array]) -> Perplexity:
    """Measure ``model`` on sentences from ``counts.numbered`` of its vocabulary."""
    total, words, unknown = 0.0, 0, 0
    for chunk in chunks:
        log_probs = np.full(chunk.size, np.nan)
        # The longest history within the sentence comes last and stays.
        for length in range(1, model.order + 1):
            ends, ngrams = windows(chunk, length, len(model.words))
            log_probs[ends] = model.log_prob(ngrams, length)
        foretold = (chunk != START) & (chunk != UNKNOWN)
        total += float(log_probs[foretold].sum())
        words += int(foretold.sum())
        unknown += int((chunk == UNKNOWN).sum())
    mean = total / words if words else float("nan")
    return Perplexity(perplexity=float(np.exp(-mean)), words=words, unknown=unknown)
