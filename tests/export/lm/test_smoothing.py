from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from textbook import kneser_ney, ngram_counts, witten_bell

from export.lm.counts import Counts, count_ngrams, numbered
from export.lm.model import START, BackoffModel, vocabulary
from export.lm.smoothing import SMOOTHINGS, discounts_of

WORDS = vocabulary("abcdefg")  # g is never seen
FORETOLD = [word for word in WORDS if word != "<s>"]


def counted(sentences: list[list[str]], order: int) -> Counts:
    return count_ngrams(numbered(map(" ".join, sentences), WORDS), order=order, size=len(WORDS))


def probability(model: BackoffModel, word: str, history: tuple[str, ...]) -> float:
    key = 0
    for item in (*history, word):
        key = key * len(WORDS) + WORDS.index(item)
    return math.exp(model.log_prob(np.array([key]), len(history) + 1)[0])


def histories(longest: int) -> list[tuple[str, ...]]:
    """All histories that can come up, seen or not."""
    words = "abcdefg"
    found: list[tuple[str, ...]] = [()]
    for length in range(1, longest + 1):
        found += itertools.product(words, repeat=length)
        found += [("<s>", *rest) for rest in itertools.product(words, repeat=length - 1)]
    return found


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_history_sums_to_one(sentences: list[list[str]], smoothing: str, order: int) -> None:
    model = SMOOTHINGS[smoothing](counted(sentences, order), WORDS)
    assert np.exp(model.log_probs[0])[START] < 1e-90
    for history in histories(order - 1):
        total = math.fsum(probability(model, word, history) for word in FORETOLD)
        assert total == pytest.approx(1.0, abs=1e-9), history


@pytest.mark.parametrize("order", [1, 2, 3])
def test_kneser_ney_equals_the_textbook(sentences: list[list[str]], order: int) -> None:
    counts = counted(sentences, order)
    model = SMOOTHINGS["kneser-ney"](counts, WORDS)
    discounts = {}
    for length in range(1, order + 1):
        raw = ngram_counts(sentences, order)
        used = raw[length]
        if length < order:
            before = {(n[1:], n[0]) for n in raw[length + 1]}
            used = type(used)(ngram for ngram, _ in before)
            if length > 1:
                used |= type(used)({n: c for n, c in raw[length].items() if n[0] == "<s>"})
        discounts[length] = discounts_of(np.array(list(used.values())))[1:].tolist()
    for history in histories(order - 1):
        for word in FORETOLD:
            expected = kneser_ney(sentences, order, discounts, FORETOLD, word, history)
            assert probability(model, word, history) == pytest.approx(expected, rel=1e-9), (history, word)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_witten_bell_equals_the_textbook(sentences: list[list[str]], order: int) -> None:
    model = SMOOTHINGS["witten-bell"](counted(sentences, order), WORDS)
    for history in histories(order - 1):
        for word in FORETOLD:
            expected = witten_bell(sentences, FORETOLD, word, history)
            assert probability(model, word, history) == pytest.approx(expected, rel=1e-9), (history, word)


def test_discounts_by_hand() -> None:
    """n1..n4 = 8, 4, 2, 1: y = 1/2, so D1 = 1 - 4/8, D2 = 2 - 3/2 * 2/4, D3 = 3 - 2 * 1/2."""
    counts = np.repeat([0, 1, 2, 3, 4, 9], [5, 8, 4, 2, 1, 3])
    np.testing.assert_allclose(discounts_of(counts), [0.0, 0.5, 1.25, 2.0])


def test_a_text_too_small_for_discounts_gets_the_usual_ones() -> None:
    assert discounts_of(np.array([1, 1, 2])).tolist() == [0.0, 0.5, 1.0, 1.5]
