"""The best path through each of many chains at once.

Source: A. Viterbi, "Error bounds for convolutional codes ...", IEEE Trans. Information Theory, 1967.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array, Int64Array
from export.gmm.chain import Chain


def viterbi(
    heard: Sequence[Float32Array], chains: Sequence[Chain], stay: Float64Array, *, silence: int
) -> tuple[list[Int64Array | None], Float64Array]:
    """Best paths.

    Parameters
    ----------
    heard: log-likelihoods (frames, states of the chain) of each utterance, one frame at least.
    stay: (distributions,) probability of staying in a state for another frame.
    silence: states of a pause, which a skip leaps over.

    Returns
    -------
    For each utterance the index within its chain, (frames,), or None where there are too few frames; and
    the log-probabilities (utterances,), -inf there.
    """
    order = sorted(range(len(heard)), key=lambda i: -len(heard[i]))
    lengths = np.array([len(heard[i]) for i in order])
    frames, width = int(lengths[0]), max(map(len, chains))
    emitted = np.full((frames, len(order), width), -np.inf, dtype=np.float32)
    again, step, skip, score, last = np.full((5, len(order), width), -np.inf, dtype=np.float32)
    for row, i in enumerate(order):
        own, n = chains[i], len(chains[i])
        emitted[: lengths[row], row, :n] = heard[i]
        with np.errstate(divide="ignore"):
            again[row, :n] = np.log(stay[own.states])
            leave = np.log1p(-stay[own.states])
        step[row, 1:n] = own.step[1:] + leave[:-1]
        leap = min(n, silence + 1)
        skip[row, leap:n] = own.skip[leap:] + leave[: n - leap]
        score[row, :n] = own.first + emitted[0, row, :n]
        last[row, :n] = own.last + leave
    came = np.zeros((frames, len(order), width), dtype=np.int8)
    alive = len(order)
    for t in range(1, frames):
        # Utterances stand from long to short: those that have ended are the last rows.
        alive = int(np.searchsorted(-lengths, -t, side="left"))
        now, way = score[:alive], came[t, :alive]
        best = now + again[:alive]
        for name, (arc, reach) in enumerate(((step, 1), (skip, silence + 1)), start=1):
            other = now[:, :-reach] + arc[:alive, reach:]
            better = other > best[:, reach:]
            np.copyto(best[:, reach:], other, where=better)
            np.copyto(way[:, reach:], np.int8(name), where=better)
        np.add(best, emitted[t, :alive], out=now)
    return _trace(order, lengths, score + last, came, silence)


def _trace(
    order: Sequence[int],
    lengths: Int64Array,
    score: Float32Array,
    came: np.ndarray,
    silence: int,
) -> tuple[list[Int64Array | None], Float64Array]:
    """Walk back from the best ends, all utterances side by side."""
    back = np.array([0, 1, silence + 1])
    rank, path = np.arange(len(order)), np.zeros((len(came), len(order)), dtype=np.int64)
    state = score.argmax(axis=1)
    totals = score[rank, state]
    for t in range(len(came) - 1, -1, -1):
        path[t] = state
        state = np.where(t < lengths, state - back[came[t, rank, state]], state)
    paths: list[Int64Array | None] = [None] * len(order)
    scores = np.full(len(order), -np.inf)
    for row, i in enumerate(order):
        scores[i] = totals[row]
        if np.isfinite(totals[row]):
            paths[i] = path[: lengths[row], row]
    return paths, scores
