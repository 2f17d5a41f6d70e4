"""Phrases: the bonus of every sentence by its definition, and a search that obeys it."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from backoff_lms import DictModel, automaton, models
from exhaustive_ctc import align
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.decoder.biasing import BiasedModel, Phrases
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.tokens import Tokens

A, B, C, D, X = range(5)
WIDTH = 6


def bonus_of(phrases: Phrases, sentence: list[int]) -> float:
    """Word by word, and the end."""
    node, total = np.zeros(1, dtype=np.int64), 0.0
    for word in [*sentence, WIDTH - 1]:
        bonus, node = phrases.advance(node, np.array([word]))
        total += float(bonus[0])
    assert node[0] == 0, "the end leads back to the root"
    return total


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ([], 0),
        ([X, X], 0),
        ([A, B, C], 3),
        ([X, A, B, C, X], 3),
        ([A, B], 0),  # broken off by the end
        ([A, B, X], 0),  # by another word
        ([A, A, B, C], 3),  # begun anew
        ([A, B, A, B, C], 3),
        ([A, B, C, A, B, C], 6),
    ],
)
def test_a_phrase_counts_where_it_is_whole(sentence: list[int], expected: float) -> None:
    assert bonus_of(Phrases({(A, B, C): 1.0}, WIDTH), sentence) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ([A, B, C, D], 4),
        ([A, B, C, X], 2),  # "b c" was said on the way
        ([A, B, X], 0),
        ([X, B, C], 2),
        ([A, B, C], 2),
    ],
)
def test_a_phrase_within_another_is_kept(sentence: list[int], expected: float) -> None:
    assert bonus_of(Phrases({(A, B, C, D): 1.0, (B, C): 1.0}, WIDTH), sentence) == pytest.approx(expected)


def test_a_phrase_that_begins_another_is_kept() -> None:
    phrases = Phrases({(A,): 1.0, (A, B, C): 1.0}, WIDTH)
    for sentence, expected in (([A], 1), ([A, B], 1), ([A, B, C], 3), ([A, B, A], 2)):
        assert bonus_of(phrases, sentence) == pytest.approx(expected)


@settings(max_examples=200)
@given(
    st.permutations([A, B, C, D]),
    st.integers(1, 3),
    st.lists(st.sampled_from([A, B, C, D, X]), max_size=12),
    st.floats(0.25, 4.0),
    st.floats(0.25, 4.0),
)
def test_phrases_without_a_common_word_count_by_themselves(
    words: list[int], cut: int, sentence: list[int], one: float, other: float
) -> None:
    first, second = tuple(words[:cut]), tuple(words[cut:])
    expected = 0.0
    for phrase, boost in ((first, one), (second, other)):
        places = range(len(sentence) - len(phrase) + 1)
        count = sum(tuple(sentence[at : at + len(phrase)]) == phrase for at in places)
        expected += count * boost * len(phrase)
    assert bonus_of(Phrases({first: one, second: other}, WIDTH), sentence) == pytest.approx(expected)


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=4).map(tuple), st.floats(0.5, 2), max_size=4
    ),
    st.lists(st.sampled_from([A, B, C, X]), max_size=10),
)
def test_nothing_is_earned_without_a_whole_phrase(
    phrases: dict[tuple[int, ...], float], sentence: list[int]
) -> None:
    earned = bonus_of(Phrases(phrases, WIDTH), sentence)
    whole = any(
        tuple(sentence[at : at + len(phrase)]) == phrase
        for phrase in phrases
        for at in range(len(sentence) - len(phrase) + 1)
    )
    assert earned >= -1e-9
    assert whole == (earned > 1e-9)


@pytest.mark.parametrize("wrong", [(), (WIDTH - 1,), (-1,)])
def test_wrong_words_are_refused(wrong: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected word numbers below 5"):
        Phrases({wrong: 1.0}, WIDTH)


def test_too_many_words_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 10,000 words"):
        Phrases({(A,) * 6000: 1.0, (B,) * 6000: 1.0}, WIDTH)


TOKENS = Tokens(["<blk>", "N", "AY", "T"])
LEXICON = Lexicon("night N AY T\nknight N AY T\neye AY\ni AY\ntie T AY\nt T\n", TOKENS)


def graph_of(model: DictModel) -> Graph:
    unigrams = [(word, model.log_probs[(word,)]) for word in model.words]
    loop = compile_word_loop(unigrams, LEXICON, homophones=True)
    return dataclasses.replace(loop, lm=automaton(model))


def emissions(seed: int, frames: int) -> np.ndarray:
    logits = 2.0 * np.random.default_rng(seed).standard_normal((frames, len(TOKENS)))
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    logits[:, 0] -= 2.0
    return logits.astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(models(words=("knight", "eye", "i", "tie")), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_a_biased_search_equals_exhaustive_search(model: DictModel, frames: int, seed: int) -> None:
    log_probs = emissions(seed, frames)
    rows = log_probs.astype(float).tolist()
    numbers = {word: number for number, word in enumerate(model.words)}
    phrases = Phrases({(numbers["eye"], numbers["tie"]): 1.5, (numbers["knight"],): 0.5}, len(numbers) + 1)
    best = align(rows, [])
    for length in range(1, frames + 1):
        for words in itertools.product(model.words, repeat=length):
            node, bonus = np.zeros(1, dtype=np.int64), 0.0
            for number in [*(numbers[word] for word in words), len(numbers)]:
                more, node = phrases.advance(node, np.array([number]))
                bonus += float(more[0])
            phones = [phone for word in words for phone in LEXICON.pronunciations(word)[0]]
            best = max(best, align(rows, phones) + model.sentence(words, 3) + bonus)
    search = NgramSearch(graph_of(model), beam=np.inf, max_active=10**6)
    search.bias(phrases)
    search.reset()
    search.push(log_probs)
    assert search.finish().score == pytest.approx(best, abs=1e-5)


def test_phrases_can_change_between_frames() -> None:
    model = DictModel(["night", "knight"])
    model.log_probs |= {("night",): -1.0, ("knight",): -2.0, ("</s>",): -1.0}
    frames = np.full((9, 4), math.log(0.01), dtype=np.float32)
    frames[np.arange(9), [0, 1, 2, 3, 0, 1, 2, 3, 0]] = math.log(0.97)
    search = NgramSearch(graph_of(model))
    search.push(frames[:4])
    search.bias(Phrases({(1,): 3.0}, 3))
    search.push(frames[4:])
    assert search.finish().text == "night knight"
    search.bias(None)
    search.reset()
    search.push(frames)
    assert search.finish().text == "night night"


def test_without_phrases_the_model_is_the_same() -> None:
    model = DictModel(["night", "knight"])
    model.log_probs |= {("night",): -1.0, ("knight",): -2.0, ("</s>",): -1.0}
    lm = automaton(model)
    biased = BiasedModel(lm, Phrases({}, 3))
    states, words = np.zeros(3, dtype=np.int64), np.arange(3)
    for ours, theirs in zip(biased.advance(states, words), lm.advance(states, words), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_phrases_of_another_vocabulary_are_refused() -> None:
    model = DictModel(["night", "knight"])
    model.log_probs |= {("night",): -1.0, ("knight",): -2.0, ("</s>",): -1.0}
    with pytest.raises(ValueError, match="expected phrases of 2 words, got 3"):
        NgramSearch(graph_of(model)).bias(Phrases({(2,): 1.0}, 4))
