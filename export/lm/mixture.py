"""One model of several texts: linear interpolation, listed n-gram by listed n-gram."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from edge_asr.arrays import Float64Array
from export.lm.counts import Counts
from export.lm.model import BackoffModel, find, with_backoffs


def mix(models: Sequence[BackoffModel], shares: Sequence[float]) -> BackoffModel:
    """The n-grams of all models, each with its mixed probability; back-offs are made anew.

    A word that no model lists after a history gets what that history leaves it, which is close to the
    mixture but not the same (A. Stolcke 2002, SRILM, "static" interpolation).

    Parameters
    ----------
    models: of one vocabulary.
    shares: what part each model has; they are made to sum to one.
    """
    if len({model.words for model in models}) != 1 or len(models) != len(shares):
        raise ValueError("expected models of one vocabulary and a share for each")
    if len(models) == 1:
        return models[0]
    parts = np.asarray(shares, dtype=np.float64) / sum(shares)
    orders = range(1, max(model.order for model in models) + 1)
    keys = [
        reduce(np.union1d, [model.keys[order - 1] for model in models if model.order >= order])
        for order in orders
    ]
    log_probs = [
        np.log(
            sum(
                part * np.exp(_log_prob(model, ngrams, order))
                for part, model in zip(parts, models, strict=True)
            )
        )
        for order, ngrams in zip(orders, keys, strict=True)
    ]
    return with_backoffs(models[0].words, keys, log_probs)


def _log_prob(model: BackoffModel, ngrams: np.ndarray, order: int) -> Float64Array:
    """As ``model.log_prob``, histories cut to what the model can use."""
    used = min(order, model.order)
    return model.log_prob(ngrams % len(model.words) ** used, used)


def history_shares(
    model: BackoffModel, texts: Sequence[Counts], shares: Sequence[float]
) -> list[Float64Array]:
    """How often each n-gram of the model occurs in the mixed texts, per word of text; one array per order."""
    parts = np.asarray(shares, dtype=np.float64) / sum(shares)
    found = []
    for order, keys in enumerate(model.keys):
        total = np.zeros(keys.size)
        for text, part in zip(texts, parts, strict=True):
            at = find(text.keys[order], keys)
            occurs = np.where(at >= 0, text.counts[order][at], 0)
            total += part * occurs / max(1, text.counts[0].sum())
        found.append(total)
    return found
