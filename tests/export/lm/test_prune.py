from __future__ import annotations

import math

import numpy as np
import pytest

from export.lm.counts import count_ngrams, numbered
from export.lm.mixture import history_shares, mix
from export.lm.model import START, BackoffModel, find, vocabulary
from export.lm.perplexity import perplexity
from export.lm.prune import losses, prune
from export.lm.smoothing import kneser_ney, witten_bell

WORDS = vocabulary("abcdef")
SIZE = len(WORDS)
FORETOLD = np.array([number for number in range(SIZE) if number != START])


def model_of(sentences: list[list[str]], order: int = 3) -> BackoffModel:
    lines = map(" ".join, sentences)
    return kneser_ney(count_ngrams(numbered(lines, WORDS), order=order, size=SIZE), WORDS)


def distribution(model: BackoffModel, history: int, length: int) -> np.ndarray:
    """(words,) of all that can follow a history of this many words."""
    return np.exp(model.log_prob(history * SIZE + FORETOLD, length + 1))


@pytest.mark.parametrize("ngrams", [0, SIZE, 15, 40, 70, 100])
def test_pruning_keeps_every_history_at_one_and_the_size_asked_for(
    sentences: list[list[str]], ngrams: int
) -> None:
    model = model_of(sentences)
    assert model.ngrams > 100
    pruned = prune(model, ngrams)
    assert pruned.ngrams == max(ngrams, SIZE)
    for length, keys in ((1, model.keys[0]), (2, model.keys[1])):
        for history in keys.tolist():
            assert distribution(pruned, history, length).sum() == pytest.approx(1.0, abs=1e-9)
    for order in (2, 3):
        assert (find(pruned.keys[order - 2], pruned.keys[order - 1] // SIZE) >= 0).all(), "histories stay"


def test_nothing_to_prune_changes_nothing(sentences: list[list[str]]) -> None:
    model = model_of(sentences)
    assert prune(model, model.ngrams) is model


def test_loss_is_the_relative_entropy_of_leaving_one_out(sentences: list[list[str]]) -> None:
    model = model_of(sentences, order=2)
    occurrence = [np.linspace(0.01, 0.3, keys.size) for keys in model.keys]
    lost = losses(model, occurrence)[1]
    for at in range(0, model.keys[1].size, 5):
        mask = np.arange(model.keys[1].size) != at
        pruned = model.kept([model.keys[0] >= 0, mask])
        history = int(model.keys[1][at]) // SIZE
        p, q = distribution(model, history, 1), distribution(pruned, history, 1)
        expected = occurrence[0][history] * float((p * np.log(p / q)).sum())
        assert lost[at] == pytest.approx(expected, abs=1e-12)


def test_what_is_kept_is_worth_more_than_what_goes(sentences: list[list[str]]) -> None:
    model = model_of(sentences, order=2)
    lost = losses(model)[1]
    kept = find(prune(model, SIZE + 10).keys[1], model.keys[1]) >= 0
    assert lost[kept].min() >= lost[~kept].max()


def test_mixture_is_the_weighted_mean_where_an_ngram_is_listed(sentences: list[list[str]]) -> None:
    counts = [
        count_ngrams(numbered(map(" ".join, part), WORDS), order=2, size=SIZE)
        for part in (sentences[:40], sentences[40:])
    ]
    first, second = witten_bell(counts[0], WORDS), kneser_ney(counts[1], WORDS)
    mixed = mix([first, second], [3, 1])
    for order in (1, 2):
        expected = 0.75 * np.exp(first.log_prob(mixed.keys[order - 1], order))
        expected += 0.25 * np.exp(second.log_prob(mixed.keys[order - 1], order))
        np.testing.assert_allclose(np.exp(mixed.log_probs[order - 1]), expected)
    for history in mixed.keys[0].tolist():
        assert distribution(mixed, history, 1).sum() == pytest.approx(1.0, abs=1e-9)
    shares = history_shares(mixed, counts, [3, 1])
    assert shares[0].sum() == pytest.approx(1.0)
    assert mix([first], [1.0]) is first


def test_perplexity_by_hand() -> None:
    """Uniform over 8 words and the end, whatever comes before; unknown words do not count."""
    model = BackoffModel(WORDS, (np.arange(SIZE),), (np.full(SIZE, -math.log(8)),), (np.zeros(SIZE),))
    found = perplexity(model, numbered(["a b zebra", "c"], WORDS))
    assert (found.perplexity, found.words, found.unknown) == (pytest.approx(8.0), 5, 1)


def test_perplexity_uses_the_longest_history_there_is(sentences: list[list[str]]) -> None:
    model = model_of(sentences)
    found = perplexity(model, numbered(["a b c", "a zebra b"], WORDS))
    numbers = {word: number for number, word in enumerate(WORDS)}
    total = 0.0
    for ngram in ("<s> a", "<s> a b", "a b c", "b c </s>", "<s> a", "b", "b </s>"):
        key = 0
        for word in ngram.split():
            key = key * SIZE + numbers[word]
        total += model.log_prob(np.array([key]), len(ngram.split()))[0]
    assert found.perplexity == pytest.approx(math.exp(-total / 7))
