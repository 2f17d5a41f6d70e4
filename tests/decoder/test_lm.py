from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from backoff_lms import DictModel, automaton, models
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.lm import LanguageModel
from edge_asr.errors import BundleError

WORDS = ("a", "b", "c")


def walked(lm: LanguageModel, words: tuple[str, ...]) -> float:
    """Log probability of a sentence, word by word."""
    state, total = np.array([lm.start]), 0.0
    for word in (*words, "</s>"):
        number = lm.words if word == "</s>" else WORDS.index(word)
        log_prob, state = lm.advance(state, np.array([number]))
        total += float(log_prob[0])
    return total


@given(models(words=WORDS))
def test_walk_equals_the_definition(model: DictModel) -> None:
    lm = automaton(model)
    for length in range(4):
        for words in itertools.product(WORDS, repeat=length):
            assert walked(lm, words) == pytest.approx(model.sentence(words, order=3), abs=1e-5)


@given(
    model=models(words=WORDS),
    said=st.lists(st.lists(st.integers(0, len(WORDS) - 1), max_size=4), max_size=4),
    first=st.lists(st.integers(0, len(WORDS) - 1), max_size=3),
)
def test_sentences_follow_what_was_said(model: DictModel, said: list[list[int]], first: list[int]) -> None:
    lm = automaton(model)
    before = lm.state_after(first, lm.start)
    found = lm.follow(said, before)
    assert [len(log_probs) for log_probs in found] == [len(words) + 1 for words in said]
    [start] = lm.follow([first], lm.start)
    for words, log_probs in zip(said, found, strict=True):
        whole = tuple(WORDS[word] for word in (*first, *words))
        total = start[:-1].sum() + log_probs.sum()
        assert total == pytest.approx(walked(lm, whole), abs=1e-5)


@given(models(words=WORDS))
def test_many_queries_equal_single_ones(model: DictModel) -> None:
    lm = automaton(model)
    states, words = (grid.ravel() for grid in np.mgrid[: lm.states, : lm.words + 1])
    log_probs, after = lm.advance(states, words)
    for i in range(states.size):
        one = lm.advance(states[i : i + 1], words[i : i + 1])
        assert (log_probs[i], after[i]) == (one[0][0], one[1][0])


@given(models(words=WORDS))
def test_packing_keeps_everything_but_the_last_digits(model: DictModel) -> None:
    lm = automaton(model)
    again = LanguageModel.unpack(lm.pack())
    for field in dataclasses.fields(LanguageModel):
        # Quarters fit half precision exactly.
        np.testing.assert_array_equal(getattr(again, field.name), getattr(lm, field.name), field.name)


def test_scale_multiplies_every_sentence() -> None:
    model = DictModel(
        WORDS,
        {("a",): -1.0, ("b",): -2.0, ("c",): -3.0, ("</s>",): -1.5, ("<s>", "b"): -0.5, ("b", "a"): -0.25},
        {("<s>",): -0.5, ("b",): -1.0},
    )
    lm = automaton(model)
    for words in (("b", "a"), ("c",), ("b", "c", "b")):
        assert walked(lm.scaled(0.5), words) == pytest.approx(0.5 * walked(lm, words))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("arcs_of_state", np.array([0, 1, 0], np.int32)),
        ("words", np.array([0, 9], np.uint8)),
        ("next_states", np.array([0, 70], np.int32)),
        ("backoff_states", np.array([0, 1, 2], np.int32)),  # a state that backs off to itself
        ("start", np.array([7], np.int32)),
    ],
)
def test_arrays_that_contradict_each_other_are_refused(name: str, value: np.ndarray) -> None:
    model = DictModel(
        WORDS,
        {("a",): -1.0, ("b",): -2.0, ("c",): -3.0, ("</s>",): -1.5, ("a", "b"): -0.5, ("b", "a"): -0.25},
    )
    packed = automaton(model).pack()
    assert LanguageModel.unpack(packed).states == 3
    with pytest.raises(BundleError, match="language model"):
        LanguageModel.unpack({**packed, name: value})
