"""Chains and the best paths through them, against every path written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from export.gmm.chain import Chain, chain, equal_path
from export.gmm.states import States
from export.gmm.viterbi import viterbi

STATES = States.monophones(4, 1)
STAY = np.random.default_rng(5).uniform(0.2, 0.8, STATES.count)


def _score(own: Chain, heard: np.ndarray, path: tuple[int, ...]) -> float:
    total = own.first[path[0]] + heard[0, path[0]]
    for t in range(1, len(path)):
        before, now = path[t - 1], path[t]
        p = STAY[own.states[before]]
        if now == before:
            total += np.log(p)
        elif now == before + 1:
            total += np.log(1 - p) + own.step[now]
        elif now == before + 1 + STATES.silence:
            total += np.log(1 - p) + own.skip[now]
        else:
            return -np.inf
        total += heard[t, now]
    return float(total + np.log(1 - STAY[own.states[path[-1]]]) + own.last[path[-1]])


@pytest.mark.parametrize(
    ("labels", "pauses"), [([], []), ([2], [True]), ([1, 3], [True, True]), ([1, 1], [False, True])]
)
def test_no_path_is_better(labels: list[int], pauses: list[bool]) -> None:
    own = chain(labels, STATES, pauses=pauses, probability=0.3)
    frames = 7 if len(labels) == 2 else 5
    heard = np.random.default_rng(len(labels)).normal(0, 2, (frames, len(own))).astype(np.float32)
    [path], [score] = viterbi([heard], [own], STAY, silence=STATES.silence)
    assert path is not None
    # Steps of 0, 1 or over a pause: all others are impossible.
    moves = itertools.product((0, 1, 1 + STATES.silence), repeat=frames - 1)
    starts = (0, STATES.silence) if labels else (0,)
    paths = (tuple(np.cumsum([s, *m])) for m in moves for s in starts)
    best = max((_score(own, heard, p), p) for p in paths if p[-1] < len(own))
    assert score == pytest.approx(best[0], abs=1e-4)
    assert tuple(path) == best[1]


def test_probabilities_of_all_paths_sum_to_one() -> None:
    """Of leaving: with pauses that may be skipped, nothing is lost and nothing is counted twice."""
    own = chain([1], STATES, probability=0.4)
    free = np.where(np.isfinite(own.first), np.exp(own.first), 0)
    assert free.sum() == pytest.approx(1)
    assert np.exp(own.last[-1 - STATES.silence]) + np.exp(own.step[-STATES.silence]) == pytest.approx(1)


def test_batch_is_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    chains = [chain(row, STATES) for row in ([1, 2, 3], [2], [], [3, 3, 1, 2])]
    lengths = (20, 9, 4, 31)
    heard = [rng.normal(size=(n, len(c))).astype(np.float32) for n, c in zip(lengths, chains, strict=True)]
    paths, scores = viterbi(heard, chains, STAY, silence=1)
    for x, own, path, score in zip(heard, chains, paths, scores, strict=True):
        [alone], [its_score] = viterbi([x], [own], STAY, silence=1)
        assert path is not None and alone is not None and path.tolist() == alone.tolist()
        assert score == pytest.approx(its_score)


def test_too_few_frames_have_no_path() -> None:
    own = chain([1, 2], STATES)
    assert equal_path(own, 5) is None
    [path], [score] = viterbi([np.zeros((5, len(own)), dtype=np.float32)], [own], STAY, silence=1)
    assert path is None and score == -np.inf


def test_equal_path_shares_the_frames() -> None:
    own = chain([1, 2], STATES, pauses=[True, True])
    path = equal_path(own, 16)
    assert path is not None
    assert own.positions[path].tolist() == [-1] * 2 + [0] * 6 + [1] * 6 + [-1] * 2
    assert np.bincount(path).max() == 2


def test_wrong_labels_are_named() -> None:
    with pytest.raises(ValueError, match=r"phones must be in 1\.\.3"):
        chain([4], STATES)
    with pytest.raises(ValueError, match="expected pauses for 2 phones, got 1"):
        chain([1, 2], STATES, pauses=[True])
