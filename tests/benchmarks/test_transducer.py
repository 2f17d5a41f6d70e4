"""Graphs as transducers: whoever reads them must find what our searches find."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.transducer import Transducer, restricted
from edge_asr.arrays import Float32Array
from edge_asr.config import DecoderConfig
from edge_asr.decoder import create_graph_search
from edge_asr.decoder.compile import compile_networks, compile_word_loop
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.lm import LanguageModel
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis

TOKENS = Tokens(["<blk>", "N", "AY", "T"])
LEXICON = Lexicon("night N AY T\nknight N AY T\neye AY\ntie T AY\ntie T T AY\nt T\n", TOKENS)
WORDS = tuple(LEXICON.words())


def model() -> LanguageModel:
    """A bigram over all words with random weights in quarters; only every other n-gram is listed.

    State 0 is the empty history, state 1 + w the word w, the last state the beginning of a sentence.
    """
    rng = np.random.default_rng(3)
    size = len(WORDS) + 1
    states = size + 1
    keys = np.arange(size, states * size, 2)
    after = np.append(np.arange(1, size), 0).astype(np.int32)
    return LanguageModel(
        start=states - 1,
        unigrams=(rng.integers(-12, 0, size) / 4).astype(np.float32),
        unigram_states=after,
        keys=keys,
        log_probs=(rng.integers(-12, 0, keys.size) / 4).astype(np.float32),
        next_states=after[keys % size],
        backoffs=np.append(0.0, rng.integers(-4, 2, states - 1) / 4).astype(np.float32),
        backoff_states=np.zeros(states, dtype=np.int32),
    )


def loop(lm: LanguageModel, words: tuple[str, ...] = WORDS) -> Graph:
    unigrams = zip(words, lm.unigrams.tolist(), strict=False)
    return dataclasses.replace(compile_word_loop(unigrams, LEXICON, homophones=True), lm=lm)


def emissions(seed: int, frames: int) -> Float32Array:
    """Random log-probabilities in which phones have peaks."""
    logits = 2.0 * np.random.default_rng(seed).standard_normal((frames, len(TOKENS)))
    logits[:, 0] -= 2.0
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def heard(graph: Graph, log_probs: Float32Array) -> Hypothesis:
    config = DecoderConfig(beam=math.inf, max_active=10**6)
    search = create_graph_search(graph, config, free_text=True)
    search.push(log_probs)
    return search.finish()


def viterbi(transducer: Transducer, log_probs: Float32Array) -> float:
    """Score of the best whole path, arc by arc."""
    scores = {transducer.start: 0.0}
    arcs = [
        column.tolist()
        for column in (transducer.sources, transducer.targets, transducer.tokens, transducer.weights)
    ]
    for frame in log_probs.astype(float).tolist():
        after: dict[int, float] = {}
        for source, target, token, weight in zip(*arcs, strict=True):
            if source in scores:
                after[target] = max(after.get(target, -math.inf), scores[source] + weight + frame[token])
        scores = after
    return max(score + float(transducer.final_weights[state]) for state, score in scores.items())


GRAPHS = {
    "grammar": compile_networks([sentences_network(["night tie", "eye", "t t tie"], "n")], LEXICON),
    "loop": compile_word_loop([("night", -1.0), ("eye", -0.5), ("tie", -2.0), ("t", -1.5)], LEXICON),
    "n-grams": loop(model()),
}


@pytest.mark.parametrize("name", GRAPHS)
@settings(max_examples=15)
@given(st.integers(3, 8), st.integers(0, 2**32 - 1))
def test_has_the_same_best_path(name: str, frames: int, seed: int) -> None:
    log_probs = emissions(seed, frames)
    found = heard(GRAPHS[name], log_probs)
    assume(found.words)  # silence needs no path through the graph
    assert viterbi(Transducer.of(GRAPHS[name]), log_probs) == pytest.approx(found.score, abs=1e-4)


def test_fewer_words_keep_their_probabilities() -> None:
    lm = model()
    staying = np.array([1, 2, 4])
    fewer = restricted(lm, staying)
    LanguageModel.unpack(fewer.pack())  # refuses what contradicts itself
    assert fewer.words == 3 and fewer.states < lm.states
    for first in range(4):
        for second in range(4):
            whole, state = lm.advance(np.array([lm.start]), np.array([[*staying, lm.words][first]]))
            small, again = fewer.advance(np.array([fewer.start]), np.array([first]))
            assert small == whole
            if first < 3:
                whole, _ = lm.advance(state, np.array([[*staying, lm.words][second]]))
                small, _ = fewer.advance(again, np.array([second]))
                assert small == whole


def test_text_starts_with_the_start_and_costs_are_positive_where_weights_are_negative() -> None:
    transducer = Transducer.of(GRAPHS["n-grams"])
    lines = transducer.text().splitlines()
    assert int(lines[0].split()[0]) == transducer.start != 0
    arcs = [line.split() for line in lines if len(line.split()) == 5]
    finals = [line.split() for line in lines if len(line.split()) == 2]
    assert len(arcs) == transducer.sources.size
    assert len(finals) == np.isfinite(transducer.final_weights).sum()
    assert {int(token) for _, _, token, _, _ in arcs} == {1, 2, 3, 4}
    assert sum(float(arc[4]) for arc in arcs) == pytest.approx(-transducer.weights.sum(), rel=1e-5)
