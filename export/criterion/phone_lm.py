"""A smoothed n-gram of phones: what a sequence criterion compares the right answer with.

Interpolated Witten-Bell smoothing (T. Bell, J. Cleary and I. Witten, "Text compression", 1990, method C):
small, closed in form, and never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from edge_asr.arrays import Float64Array

BOUNDARY = 0
"""Start and end of an utterance, in the place of the blank, which is no phone."""


def phone_ngram(sequences: Iterable[Sequence[int]], *, tokens: int, order: int) -> Float64Array:
    """Probabilities of the next phone given the ``order - 1`` before.

    Parameters
    ----------
    sequences: phones as token numbers from 1; ``tokens`` counts the blank too.
    order: 1, 2 or 3.

    Returns
    -------
    (tokens,) * order: ``p[a, b, c]`` is P(c | a b); index 0 stands for the boundary, before the first
    phone as a history and after the last one as a prediction. Every row sums to one.

    Raises
    ------
    ValueError: another order, or a token out of range.
    """
    if order not in (1, 2, 3):
        raise ValueError(f"order must be 1, 2 or 3, got {order}")
    counts = np.zeros((tokens,) * order)
    for sequence in sequences:
        padded = np.array([BOUNDARY] * (order - 1) + [*sequence, BOUNDARY])
        if len(sequence) and not 0 < min(sequence) <= max(sequence) < tokens:
            raise ValueError(f"phones must be in 1..{tokens - 1}")
        grams = np.lib.stride_tricks.sliding_window_view(padded, order)
        np.add.at(counts, tuple(grams.T), 1)
    return smooth(counts)


def smooth(counts: Float64Array) -> Float64Array:
    """Interpolate each history's relative frequencies with those of the shorter history.

    Parameters
    ----------
    counts: of n-grams, the predicted token last; any number of axes.
    """
    lower: Float64Array = (
        np.full(counts.shape, 1 / counts.shape[-1]) if counts.ndim == 1 else smooth(counts.sum(axis=0))
    )
    total = counts.sum(axis=-1, keepdims=True)
    kinds = np.count_nonzero(counts, axis=-1, keepdims=True).astype(np.float64)
    # A history that never occurred leaves all to the shorter one.
    kinds = np.where(total == 0, 1.0, kinds)
    return np.asarray((counts + kinds * lower) / (total + kinds))
