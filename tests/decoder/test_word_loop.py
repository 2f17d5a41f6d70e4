from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from backoff_lms import DictModel, automaton, models
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon, Pronunciation
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis
from edge_asr.decoder.word_loop import Addition, extend_word_loop

TOKENS = Tokens(["<blk>", "N", "AY", "T", "S"])
LEXICON = Lexicon(
    "night N AY T\nknight N AY T\neye AY\ni AY\ntie T AY\ntie T T AY\nnice N AY S\nsigh S AY\nsight S AY T\n"
    "s S\nstys S T AY S\ntea T\n",
    TOKENS,
)
SCALE, PENALTY = 0.5, -0.25
UNHEARD = -1e6


def addition(words: Sequence[str], log_prob: float = -2.0, **further: Sequence[Pronunciation]) -> Addition:
    ways = {word: LEXICON.pronunciations(word) for word in (*words, *further)}
    return Addition(ways=ways, further={word: () for word in ways} | further, log_prob=log_prob)


def emissions(seed: int, frames: int) -> Float32Array:
    """Random log-probabilities in which phones have peaks."""
    logits = 2.0 * np.random.default_rng(seed).standard_normal((frames, len(TOKENS)))
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    logits[:, 0] -= 2.0
    return logits.astype(np.float32)


def heard(labels: str) -> Float32Array:
    """One nearly certain frame per token name."""
    frames = np.full((len(labels.split()), len(TOKENS)), np.log(0.01), dtype=np.float32)
    for frame, name in zip(frames, labels.split(), strict=True):
        frame[TOKENS.index[name.replace("_", "<blk>")]] = np.log(0.97)
    return frames


def loop_of(model: DictModel, *, lm: bool) -> Graph:
    """The word loop of a model's words, weighed, with the model in it or with its unigrams only."""
    unigrams = [(word, model.log_probs[(word,)]) for word in model.words]
    if lm:
        graph = compile_word_loop(unigrams, LEXICON, homophones=True)
        return replace(graph, lm=automaton(model)).weighed(SCALE, PENALTY)
    return compile_word_loop(unigrams, LEXICON, scale=SCALE, word_penalty=PENALTY)


def decode(graph: Graph, log_probs: Float32Array) -> Hypothesis:
    search = (NgramSearch if graph.lm else Search)(graph, beam=np.inf, max_active=10**6)
    search.push(log_probs)
    return search.finish()


def extended(graph: Graph, added: Addition) -> Graph:
    return extend_word_loop(graph, added, scale=SCALE, word_penalty=PENALTY)


def with_unigrams(model: DictModel, words: Sequence[str], log_prob: float) -> DictModel:
    """The model as if it had known the words from the beginning."""
    log_probs = model.log_probs | {(word,): log_prob for word in words}
    return DictModel((*model.words, *words), log_probs, model.backoffs)


OLD = ("night", "eye", "tie")
NEW = ("knight", "nice", "sigh", "s", "stys", "tea", "i")


@pytest.mark.parametrize("lm", [True, False])
@settings(max_examples=60, deadline=None)
@given(
    models(words=OLD),
    st.lists(st.sampled_from(NEW), min_size=1, max_size=7, unique=True),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
)
def test_equals_a_loop_that_knew_the_words_from_the_beginning(
    lm: bool, model: DictModel, words: list[str], cut: int, seed: int
) -> None:
    graph = loop_of(model, lm=lm)
    for part in (words[:cut], words[cut:]):
        graph = extended(graph, addition(part))
    whole = loop_of(with_unigrams(model, words, -2.0), lm=lm)
    assert [output.word for output in graph.outputs] == [output.word for output in whole.outputs]
    log_probs = emissions(seed, 14)
    found, expected = decode(graph, log_probs), decode(whole, log_probs)
    assert found.score == pytest.approx(expected.score, abs=1e-4)


@pytest.mark.parametrize("lm", [True, False])
@settings(max_examples=60, deadline=None)
@given(models(words=OLD), st.integers(0, 2**32 - 1))
def test_everything_else_scores_exactly_as_before(lm: bool, model: DictModel, seed: int) -> None:
    graph, log_probs = loop_of(model, lm=lm), emissions(seed, 20)
    expected = decode(graph, log_probs)
    assert decode(extended(graph, addition(NEW, UNHEARD)), log_probs) == expected
    # ... and where a new word could be said but is not.
    likely = decode(extended(graph, addition(NEW, 0.0)), log_probs)
    assert likely.score >= expected.score
    if not {hit.word for hit in likely.words} & set(NEW):
        assert (likely.words, likely.score) == (expected.words, expected.score)


@pytest.mark.parametrize("lm", [True, False])
def test_an_added_word_comes_out_of_free_text(lm: bool) -> None:
    model = DictModel(OLD, {(word,): -1.0 for word in (*OLD, "</s>")})
    model.log_probs["<s>", "tie"] = model.log_probs["tie", "night"] = -0.5
    graph = loop_of(model, lm=lm)
    said = heard("T AY _ S _ T AY S _ N AY T")
    assert decode(graph, said).text == "tie tie night"
    longer = extended(graph, addition(["stys"]))
    found = decode(longer, said)
    assert found.text == "tie stys night"
    assert [TOKENS.names[token] for token in found.words[1].phones] == ["S", "T", "AY", "S"]
    assert decode(graph, said).text == "tie tie night", "the loop of before is as it was"
    # Without a pause: out of an exit of before into the new word, and out of its own new exit.
    assert decode(longer, heard("N AY T S T AY S T AY")).text == "night stys tie"


def test_a_word_that_was_known_can_be_said_in_a_further_way() -> None:
    model = DictModel(OLD, {(word,): -3.0 for word in (*OLD, "</s>")})
    model.log_probs["tie", "eye"] = -0.5
    further = addition([], 0.0, eye=[(TOKENS.index["S"], TOKENS.index["AY"], TOKENS.index["S"])])
    graph = extended(loop_of(model, lm=True), further)
    assert [output.word for output in graph.outputs] == list(OLD)
    found = decode(graph, heard("T AY _ S AY S"))
    assert found.text == "tie eye"
    # It costs what the word costs: the bigram, and no new word's price.
    assert found.words[1].weight == pytest.approx(SCALE * -0.5 + PENALTY, abs=1e-6)


def test_nothing_to_add_gives_the_same_loop() -> None:
    graph = loop_of(DictModel(OLD, {(word,): -1.0 for word in (*OLD, "</s>")}), lm=True)
    assert extended(graph, addition(OLD)) is graph


def test_the_end_of_a_sentence_is_told_from_new_words() -> None:
    """Its number moves behind them, and so do the n-grams that end in it."""
    model = DictModel(OLD, {(word,): -1.0 for word in (*OLD, "</s>")})
    model.log_probs["tie", "</s>"] = -7.0
    lm = automaton(model)
    more = lm.with_words(np.array([-4.0, -5.0], dtype=np.float32))
    after_tie = lm.unigram_states[[2, 2, 2, 2]].astype(np.int64)
    log_probs, states = more.advance(after_tie, np.array([3, 4, 5, 0]))
    assert log_probs.tolist() == [-4.0, -5.0, -7.0, -1.0]
    assert states[:2].tolist() == [0, 0]
    assert more.words == 5
    more._check()


def test_marks_of_free_text_and_guesses_stay() -> None:
    graph = replace(loop_of(DictModel(OLD, {(w,): -1.0 for w in (*OLD, "</s>")}), lm=True), free_text=True)
    assert extended(graph, addition(["nice"])).free_text
