"""Leave out the n-grams that a model misses least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_asr.arrays import Float64Array
from export.lm.model import START, BackoffModel, find


def prune(model: BackoffModel, ngrams: int, occurrence: Sequence[Float64Array] | None = None) -> BackoffModel:
    """The best ``ngrams`` n-grams; all single words stay, and so does every history of what stays.

    Parameters
    ----------
    model: whose histories are listed.
    ngrams: of all orders, single words included.
    occurrence: how often each n-gram occurs per word of text, one array per order (see ``losses``).
    """
    if model.ngrams <= ngrams:
        return model
    values = losses(model, occurrence)
    # A history is worth at least what is best after it.
    for order in range(model.order - 1, 1, -1):
        history = find(model.keys[order - 1], model.keys[order] // len(model.words))
        np.maximum.at(values[order - 1], history, values[order])
    longer = np.concatenate(values[1:])
    # Stable, so that of equals the shorter comes first: a history before what it is kept for.
    best = np.argsort(-longer, kind="stable")[: max(0, ngrams - model.keys[0].size)]
    keep = np.zeros(longer.size, dtype=np.bool_)
    keep[best] = True
    bounds = np.cumsum([keys.size for keys in model.keys[1:-1]])
    everything = np.ones(model.keys[0].size, dtype=np.bool_)
    return model.kept([everything, *np.split(keep, bounds)])


def losses(model: BackoffModel, occurrence: Sequence[Float64Array] | None = None) -> list[Float64Array]:
    """What leaving out each n-gram alone would cost: relative entropy to the full model, in nats per word.

    A. Stolcke 1998, Entropy-based pruning of backoff language models, equations (2) to (6).

    Parameters
    ----------
    occurrence: how often each n-gram occurs per word of text, one array per order. The weight of a
        history is read from it; without it the model itself says how likely the history is, which
        Kneser-Ney says badly, its lower orders being made to be backed off to (C. Chelba et al. 2010,
        Study on interaction between entropy pruning and Kneser-Ney smoothing).
    """
    size = len(model.words)
    lost: list[Float64Array] = [np.full(model.keys[0].size, np.inf)]
    weights = list(occurrence) if occurrence is not None else _chained(model)
    for order in range(2, model.order + 1):
        keys, log_prob = model.keys[order - 1], model.log_probs[order - 1]
        history = find(model.keys[order - 2], keys // size)
        shorter = model.log_prob(keys % size ** (order - 1), order - 1)
        p, q = np.exp(log_prob), np.exp(shorter)
        left = np.maximum(1.0 - np.bincount(history, p)[history], 0.0)
        share = np.maximum(1.0 - np.bincount(history, q)[history], 1e-12)
        before = model.backoffs[order - 2][history]
        after = np.log(left + p) - np.log(share + q)
        cost = p * (shorter + after - log_prob) + left * (after - before)
        lost.append(np.maximum(-weights[order - 2][history] * cost, 0.0))
    return lost


def _chained(model: BackoffModel) -> list[Float64Array]:
    """How likely each n-gram is, by the chain rule; every sentence begins, so its beginning has weight."""
    single = np.exp(model.log_probs[0])
    single[START] = np.exp(model.log_probs[0]).min(initial=1.0, where=single > 0)
    likely = [single]
    for order in range(2, model.order + 1):
        history = find(model.keys[order - 2], model.keys[order - 1] // len(model.words))
        likely.append(likely[-1][history] * np.exp(model.log_probs[order - 1]))
    return likely
