"""Questions and trees against brute force on toys."""

from __future__ import annotations

import numpy as np
import pytest

from export.dictionary import PHONES
from export.gmm.classes import CLASSES, all_questions, derived_questions, log_likelihood, phonetic_questions
from export.gmm.tree import ContextStatistics, best_split, grow_tree


def _sums(frames: np.ndarray) -> np.ndarray:
    return np.concatenate([[len(frames)], frames.sum(axis=0), (frames**2).sum(axis=0)])


def _toy(seed: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Frames of phone 1 between phones 0..4; the left neighbour matters: 1 and 2 against the others."""
    rng = np.random.default_rng(seed)
    contexts, frames = [], []
    for left in range(5):
        for right in range(5):
            contexts.append((1, left, 1, right))
            frames.append(rng.normal(3.0 * (left in (1, 2)) + 0.1 * right, 1.0, size=(12, 2)))
    return np.array(contexts), np.array([_sums(x) for x in frames]), frames


def test_likelihood_is_that_of_the_best_gaussian() -> None:
    x = np.random.default_rng(0).normal(2, 3, size=(50, 4))
    mean, variance = x.mean(axis=0), x.var(axis=0)
    want = (-0.5 * (np.log(2 * np.pi * variance) + (x - mean) ** 2 / variance)).sum()
    assert float(log_likelihood(_sums(x))) == pytest.approx(want)


@pytest.mark.parametrize("seed", range(3))
def test_chosen_question_gains_most(seed: int) -> None:
    contexts, sums, frames = _toy(seed)
    questions = np.random.default_rng(seed).random((9, 5)) < 0.5
    questions[0] = [False, True, True, False, False]
    gains = {}
    whole = log_likelihood(_sums(np.concatenate(frames)))
    for q, group in enumerate(questions):
        for column in (1, 3):
            yes = group[contexts[:, column]]
            if yes.all() or not yes.any():
                continue
            parts = [
                np.concatenate([x for x, y in zip(frames, yes, strict=True) if y == side]) for side in (0, 1)
            ]
            gains[q, column] = sum(log_likelihood(_sums(part)) for part in parts) - whole
    split = best_split(contexts, sums, questions, min_frames=1)
    assert split is not None
    assert split.gain == pytest.approx(max(gains.values()))
    assert not split.right and split.group.tolist() in ([0, 1, 1, 0, 0], [1, 0, 0, 1, 1])


def test_small_leaves_are_not_made() -> None:
    contexts, sums, _ = _toy(0)
    questions = np.eye(5, dtype=bool)
    assert best_split(contexts, sums, questions, min_frames=61) is None
    split = best_split(contexts, sums, questions, min_frames=60)
    assert split is not None


def test_tree_ties_what_sounds_alike() -> None:
    contexts, sums, _ = _toy(1)
    questions = phonetic_questions(("<blk>", "AA", "B", "K", "IY"))
    questions = np.vstack([questions, [[False, True, True, False, False]]])
    statistics = ContextStatistics(contexts, sums)
    states, leaves = grow_tree(statistics, questions, silence=3, leaves=13, min_frames=10, min_gain=1.0)
    assert len(leaves) == 13 and states.count == 16
    assert leaves[:, 0].sum() == sums[:, 0].sum()
    own = states.table[1, :, 1, :]
    assert len(np.unique(own)) == 2
    assert len(np.unique(own[[1, 2]])) == len(np.unique(own[[0, 3, 4]])) == 1
    [changed] = [n for n in np.unique(own) if n == states.count - 1]
    assert leaves[changed - 3, 0] == 2 * 5 * 12
    plain, _ = grow_tree(statistics, questions, silence=3, leaves=13, min_frames=10, min_gain=1e9)
    assert plain.count == 3 + 4 * 3, "no question gains that much"


def test_every_context_has_a_state() -> None:
    contexts, sums, _ = _toy(2)
    states, _ = grow_tree(
        ContextStatistics(contexts, sums),
        np.eye(5, dtype=bool),
        silence=3,
        leaves=40,
        min_frames=10,
        min_gain=0.0,
    )
    used = np.unique(states.table[:, :, 1:])
    assert used.tolist() == list(range(3, states.count)), "each leaf is reached, none is silence"


def test_alike_phones_are_grouped() -> None:
    rng = np.random.default_rng(0)
    near = [rng.normal(mean, 1, size=(40, 3)) for mean in (0.0, 5.0, 5.3, -6.0)]
    statistics = np.array([np.zeros(7), *(_sums(x) for x in near)])
    found = derived_questions(statistics).tolist()
    assert found[:4] == np.eye(5, dtype=bool)[1:].tolist(), "each alone"
    assert found[4] == [False, False, True, True, False], "then the two that are nearest"
    assert not any(row[0] for row in found)


def test_questions_are_about_our_phones() -> None:
    assert {p for group in CLASSES.values() for p in group.split()} == set(PHONES)
    tokens = ("<blk>", *PHONES)
    questions = all_questions(tokens, np.zeros((40, 3)))
    assert len(questions) == len(np.unique(questions, axis=0)) >= 40 + 30
    vowels = questions[:, tokens.index("AA")] & questions[:, tokens.index("UW")]
    assert vowels.any()
