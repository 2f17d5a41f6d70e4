"""Our searches beside the decoders of others, where those are installed; and what they are measured by."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tqdm", reason="benchmarks need tqdm (the extra evaluate)")

from benchmarks.decoders import Answer, likelihood, ngram_loop, report, search_graph, unigram_loop
from benchmarks.peer_decoders import FlashlightDecoder, KaldiDecoder
from edge_asr.arrays import Float32Array
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.prefix_beam import PrefixBeamSearch
from edge_asr.decoder.tokens import Tokens
from edge_asr.recognizer import Recognizer

TOKENS = Tokens(["<blk>", "A", "B", "C"])
WIDE = {"beam": 1000.0, "max_active": 10**6}


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load("en-tiny")


def emissions(seed: int, frames: int, tokens: int) -> Float32Array:
    """Random log-probabilities; blank is rare."""
    logits = 2.0 * np.random.default_rng(seed).standard_normal((frames, tokens))
    logits[:, 0] -= 1.0
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def spoken(recognizer: Recognizer, words: list[str], seed: int) -> Float32Array:
    """Noisy log-probabilities of the words' phones, two frames each."""
    phones = [p for word in words for p in recognizer.lexicon.pronunciations(word)[0]]
    labels = [0, *itertools.chain.from_iterable((p, p, 0) for p in phones)]
    size = len(recognizer.lexicon.tokens)
    log_probs = emissions(seed, len(labels), size)
    log_probs[np.arange(len(labels)), labels] += 8.0
    return log_probs


@given(st.integers(0, 5), st.integers(0, 2**32 - 1), st.lists(st.integers(1, 3), max_size=4))
@settings(max_examples=50)
def test_likelihood_is_the_sum_over_all_alignments(frames: int, seed: int, labels: list[int]) -> None:
    log_probs = emissions(seed, frames, len(TOKENS))
    total = sum(
        math.exp(sum(float(log_probs[t, token]) for t, token in enumerate(path)))
        for path in itertools.product(range(len(TOKENS)), repeat=frames)
        if [token for token, _ in itertools.groupby(path) if token] == labels
    )
    assert math.exp(likelihood(log_probs, labels)) == pytest.approx(total, abs=1e-6)


def test_report_counts_what_is_the_same() -> None:
    same, other = Answer(("a",), -1.0, 3e-3), Answer(("b",), -1.5, 1e-3)
    figures = report([(same, same._replace(score=-1.0001), 10), (same, other, 10)])
    assert (figures["same_words"], figures["same_score"]) == (0.5, 0.5)
    assert (figures["mean_difference"], figures["largest_difference"]) == (0.25005, 0.5)
    assert (figures["ours_us_per_frame"], figures["theirs_us_per_frame"]) == (300.0, 200.0)
    assert figures["ours_over_theirs"] == 1.5
    nothing = Answer((), -math.inf, 1e-3)
    assert report([(nothing, nothing, 1)])["same_score"] == 1.0
    assert report([(same, nothing, 1)])["same_score"] == 0.0


def test_few_words_cost_what_they_cost_among_all(recognizer: Recognizer) -> None:
    said = ["turn", "the", "light"]
    few, whole = ngram_loop(recognizer, said), recognizer.word_loop()
    frames = spoken(recognizer, said, 0)
    ours, theirs = (search_graph(graph, frames, beam=15.0, max_active=5000) for graph in (few, whole))
    assert ours.words == tuple(said) == theirs.words
    # The bundle's logarithms keep 11 bits.
    assert ours.score == pytest.approx(theirs.score, abs=1e-2)
    assert len(few.outputs) < 20 < 10_000 < len(whole.outputs)


@pytest.mark.parametrize("kind", ["grammar", "unigrams", "n-grams"])
def test_kaldi_finds_the_same_path(recognizer: Recognizer, kind: str) -> None:
    pytest.importorskip("kaldi_decoder", reason="needs kaldi-decoder (the extra peers)")
    pytest.importorskip("kaldifst", reason="needs kaldifst (the extra peers)")
    said = ["turn", "on", "the", "light", "in", "the", "kitchen"]
    graph = {
        "grammar": lambda: recognizer.compile([sentences_network([" ".join(said), "open the door"], "n")]),
        "unigrams": lambda: unigram_loop(recognizer),
        "n-grams": lambda: ngram_loop(recognizer, said),
    }[kind]()
    peer = KaldiDecoder(graph)
    for seed in range(3):
        frames = spoken(recognizer, said, seed)
        limits = WIDE if kind == "grammar" else {"beam": 20.0, "max_active": 10**5}
        ours, theirs = search_graph(graph, frames, **limits), peer.decode(frames, **limits)  # type: ignore[arg-type]
        assert ours.words == theirs.words != ()
        assert ours.score == pytest.approx(theirs.score, abs=1e-2)


@settings(max_examples=20)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_flashlight_finds_the_same_tokens(frames: int, seed: int) -> None:
    pytest.importorskip("flashlight.lib.text", reason="needs flashlight-text (the extra peers)")
    log_probs = emissions(seed, frames, len(TOKENS))
    search = PrefixBeamSearch(TOKENS, prefixes=10**5, beam=1000.0, token_beam=np.inf)
    search.push(log_probs)
    theirs = FlashlightDecoder(TOKENS).decode(log_probs, beam=1000.0, hypotheses=10**5)
    # Its score is that of the prefix with one of its two endings, so it may prefer a close second.
    found = {hypothesis.text: hypothesis.score for hypothesis in search.nbest(10**5)}
    assert theirs.score <= found[" ".join(theirs.words)] + 1e-4
    assert found[" ".join(theirs.words)] >= search.finish().score - math.log(2) - 1e-4
