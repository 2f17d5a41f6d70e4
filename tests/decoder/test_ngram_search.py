from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from backoff_lms import DictModel, automaton, models
from exhaustive_ctc import align
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis

TOKENS = Tokens(["<blk>", "N", "AY", "T"])
LEXICON = Lexicon("night N AY T\nknight N AY T\neye AY\ni AY\ntie T AY\ntie T T AY\nt T\n", TOKENS)
WORDS = tuple(LEXICON.words())


def emissions(seed: int, frames: int) -> Float32Array:
    """Random log-probabilities in which phones have peaks."""
    logits = 2.0 * np.random.default_rng(seed).standard_normal((frames, len(TOKENS)))
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    logits[:, 0] -= 2.0
    return logits.astype(np.float32)


def graph_of(model: DictModel, *, scale: float = 1.0, word_penalty: float = 0.0) -> Graph:
    """The word loop with the model in it."""
    unigrams = [(word, model.log_probs[(word,)]) for word in model.words]
    loop = compile_word_loop(unigrams, LEXICON, homophones=True)
    return replace(loop, lm=automaton(model)).weighed(scale, word_penalty)


def decode(graph: Graph, log_probs: Float32Array) -> Hypothesis:
    search = NgramSearch(graph, beam=np.inf, max_active=10**6)
    search.push(log_probs)
    return search.finish()


def exhaustive(
    model: DictModel, log_probs: Float32Array, *, order: int, scale: float, word_penalty: float
) -> tuple[float, set[tuple[str, ...]]]:
    """Best score, and the word sequences that reach it."""
    frames = log_probs.astype(float).tolist()
    found: list[tuple[float, tuple[str, ...]]] = [(align(frames, []), ())]
    for length in range(1, len(frames) + 1):
        for words in itertools.product(model.words, repeat=length):
            weight = scale * model.sentence(words, order) + word_penalty * length
            if sum(len(LEXICON.pronunciations(word)[0]) for word in words) > len(frames):
                continue
            for choice in itertools.product(*(LEXICON.pronunciations(word) for word in words)):
                phones = list(itertools.chain.from_iterable(choice))
                if len(phones) <= len(frames):
                    found.append((align(frames, phones) + weight, words))
    best = max(score for score, _ in found)
    return best, {words for score, words in found if score >= best - 1e-5}


@settings(max_examples=60, deadline=None)
@given(
    models(words=("knight", "eye", "i", "tie")),
    st.integers(0, 4),
    st.integers(0, 2**32 - 1),
    st.sampled_from([(1.0, 0.0), (0.5, -0.25), (0.75, 1.0)]),
)
def test_equals_exhaustive_search(
    model: DictModel, frames: int, seed: int, weights: tuple[float, float]
) -> None:
    log_probs = emissions(seed, frames)
    scale, word_penalty = weights
    score, best = exhaustive(model, log_probs, order=3, scale=scale, word_penalty=word_penalty)
    found = decode(graph_of(model, scale=scale, word_penalty=word_penalty), log_probs)
    assert found.score == pytest.approx(score, abs=1e-5)
    assert tuple(hit.word for hit in found.words) in best


@settings(max_examples=40, deadline=None)
@given(
    models(words=WORDS),
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 30), max_size=4),
    st.sampled_from([(np.inf, 10**6), (4.0, 10**6), (14.0, 7)]),
)
def test_any_chunking_gives_the_same_result(
    model: DictModel, seed: int, cuts: list[int], pruning: tuple[float, int]
) -> None:
    log_probs, graph = emissions(seed, 30), graph_of(model)
    beam, max_active = pruning
    whole = NgramSearch(graph, beam=beam, max_active=max_active)
    whole.push(log_probs)
    parts = NgramSearch(graph, beam=beam, max_active=max_active)
    for part in np.split(log_probs, sorted(cuts)):
        parts.push(part)
        parts.best()
    assert parts.active <= max_active
    assert parts.best() == whole.best()
    assert parts.finish() == whole.finish()
    parts.reset()
    parts.push(log_probs)
    assert parts.finish() == whole.finish()


@settings(max_examples=40, deadline=None)
@given(models(words=("night", "eye", "tie", "t"), order=1), st.integers(0, 2**32 - 1))
def test_without_histories_equals_the_plain_loop(model: DictModel, seed: int) -> None:
    model.log_probs[("</s>",)] = 0.0
    log_probs, graph = emissions(seed, 20), graph_of(model, scale=0.5, word_penalty=-0.25)
    unigrams = [(word, model.log_probs[(word,)]) for word in model.words]
    plain = Search(
        compile_word_loop(unigrams, LEXICON, scale=0.5, word_penalty=-0.25), beam=np.inf, max_active=10**6
    )
    plain.push(log_probs)
    assert decode(graph, log_probs).score == pytest.approx(plain.finish().score, abs=1e-5)


def homophone_model() -> DictModel:
    """After "eye" comes a knight, else it is night; both sound alike."""
    model = DictModel(WORDS, {(word,): -3.0 for word in WORDS} | {("</s>",): -1.0, ("night",): -2.0})
    model.log_probs["eye", "knight"] = -0.5
    model.log_probs["i", "night"] = -2.0
    model.log_probs["<s>", "tie"] = -0.5
    return model


def heard(labels: str) -> Float32Array:
    """One nearly certain frame per token name."""
    frames = np.full((len(labels.split()), len(TOKENS)), np.log(0.01), dtype=np.float32)
    for frame, name in zip(frames, labels.split(), strict=True):
        frame[TOKENS.index[name.replace("_", "<blk>")]] = np.log(0.97)
    return frames


def test_history_chooses_between_homophones() -> None:
    graph = graph_of(homophone_model())
    assert decode(graph, heard("T AY _ N AY T")).text == "tie night"
    assert decode(graph, heard("AY _ N AY T")).text == "eye knight"


def test_word_weights_hold_what_the_model_says() -> None:
    found = decode(graph_of(homophone_model()), heard("T AY AY _ AY N AY T"))
    assert [(hit.word, round(hit.weight, 4)) for hit in found.words] == [
        ("tie", -0.5),
        ("eye", -3.0),
        ("knight", -0.5),
    ]
    assert [hit.start_frame for hit in found.words] == [0, 4, 5]
    assert found.deficit == pytest.approx(0.0, abs=1e-6)
    assert all(hit.deficit == pytest.approx(0.0, abs=1e-6) for hit in found.words)
    assert found.score == pytest.approx(8 * np.log(0.97) - 5.0, abs=1e-5)


def test_forgetting_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, log_probs = graph_of(homophone_model()), emissions(5, 500)
    roomy = NgramSearch(graph, beam=8.0)
    roomy.push(log_probs)
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", 256)
    tight = NgramSearch(graph, beam=8.0)
    tight.push(log_probs)
    assert tight.nbytes < roomy.nbytes
    assert tight.finish() == roomy.finish()


def test_silence_is_empty() -> None:
    graph = graph_of(homophone_model())
    assert decode(graph, heard("_ _ _")).outcome == "silence"
    assert decode(graph, np.empty((0, len(TOKENS)), np.float32)).text == ""


def test_a_saved_graph_brings_its_model_back(tmp_path: Path) -> None:
    graph = graph_of(homophone_model())
    graph.save(tmp_path / "graph.npz")
    again = Graph.load(tmp_path / "graph.npz")
    assert again.lm is not None
    log_probs = emissions(3, 50)
    assert decode(again, log_probs) == decode(graph, log_probs)


def test_a_graph_without_a_model_is_refused() -> None:
    with pytest.raises(ValueError, match="language model"):
        NgramSearch(compile_word_loop([("t", 0.0)], LEXICON))
