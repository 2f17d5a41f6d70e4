"""Which sentence wins, by the formula written out; and that what was promised while listening is kept."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from backoff_lms import DictModel, automaton, models
from exhaustive_ctc import align
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neural_lms import SlowLm, arrays_of, model_of

from edge_asr.arrays import Float32Array
from edge_asr.config import RescoringConfig
from edge_asr.decoder.biasing import Phrases
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.neural_lm import NeuralLm
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.rescoring import Rescorer
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis
from edge_asr.decoder.word_loop import Addition, extend_word_loop

TOKENS = Tokens(["<blk>", "N", "AY", "T"])
LEXICON = Lexicon("night N AY T\nknight N AY T\neye AY\ni AY\ntie T AY\nt T\n", TOKENS)
SCALE = 1.5
WORDS = ("knight", "eye", "i", "tie")


def graph_of(model: DictModel) -> Graph:
    unigrams = [(word, model.log_probs[(word,)]) for word in model.words]
    loop = compile_word_loop(unigrams, LEXICON, homophones=True)
    return dataclasses.replace(loop, lm=automaton(model), free_text=True).weighed(SCALE, -0.25)


def emissions(seed: int, frames: int) -> Float32Array:
    logits = 2.0 * np.random.default_rng(seed).standard_normal((frames, len(TOKENS)))
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    logits[:, 0] -= 2.0
    return logits.astype(np.float32)


def rescorer_of(model: NeuralLm, **settings: float) -> Rescorer:
    values = {"sentences": 10**6, "within": math.inf, "share": 0.6, "scale": 1.3, "history_words": 0}
    config = RescoringConfig(**{**values, **settings})  # type: ignore[arg-type]
    return Rescorer(model, config, lm_scale=SCALE, frame_s=0.03)


@pytest.fixture(scope="session")
def neural(tmp_path_factory: pytest.TempPathFactory) -> NeuralLm:
    return model_of(tmp_path_factory.mktemp("neural"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    model=models(words=WORDS),
    frames=st.integers(0, 4),
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0.3, 0.9, 1.0]),
)
def test_every_sentence_scores_what_the_formula_says(
    neural: NeuralLm, model: DictModel, frames: int, seed: int, share: float
) -> None:
    log_probs = emissions(seed, frames)
    rows = log_probs.astype(float).tolist()
    slow = SlowLm(arrays_of())
    boost = Phrases({(WORDS.index("eye"), WORDS.index("tie")): 1.5}, len(WORDS) + 1)
    expected: dict[str, float] = {}
    for length in range(1, frames + 1):
        for words in itertools.product(WORDS, repeat=length):
            phones = [phone for word in words for phone in LEXICON.pronunciations(word)[0]]
            score = align(rows, phones)
            if score == -math.inf:
                continue
            score += -0.25 * length + 1.5 * 2 * sum(
                pair == ("eye", "tie") for pair in itertools.pairwise(words)
            )
            said = ("<s>", *words, "</s>")
            for at, nat in enumerate(slow.score(words), start=1):
                ngram = model.log_prob(said[at], said[max(0, at - 2) : at])
                score += 1.3 * math.log(share * math.exp(nat) + (1 - share) * math.exp(ngram))
            expected[" ".join(words)] = score
    rescorer = rescorer_of(neural, share=share)
    search = NgramSearch(graph_of(model), beam=np.inf, max_active=10**6, rescorer=rescorer)
    search.bias(boost)
    search.reset()
    search.push(log_probs)
    found = search.rescored()
    assert {hypothesis.text for hypothesis in found} == expected.keys()
    assert [h.score for h in found] == pytest.approx([expected[h.text] for h in found], abs=2e-3)
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)
    assert {h.text: h.words for h in found} == {h.text: h.words for h in search.nbest(10**6)}


def test_only_the_likeliest_are_compared(neural: NeuralLm) -> None:
    model = DictModel(WORDS, {(word,): -2.0 for word in (*WORDS, "</s>")})

    def search(**settings: float) -> NgramSearch:
        made = NgramSearch(graph_of(model), alternatives=8.0, rescorer=rescorer_of(neural, **settings))
        made.push(emissions(3, 20))
        return made

    listed = search(within=8.0).nbest(50)
    few = search(sentences=4, within=8.0).rescored()
    assert {h.text for h in few} == {h.text for h in listed[:4]}
    near = search(within=3.0).rescored()
    assert {h.text for h in near} == {h.text for h in listed if h.score >= listed[0].score - 3.0}
    assert 1 < len(near) < len(listed)


def test_nothing_said_stays_nothing_said(neural: NeuralLm) -> None:
    model = DictModel(WORDS, {(word,): -2.0 for word in (*WORDS, "</s>")})
    quiet = np.full((20, 4), math.log(0.001), dtype=np.float32)
    quiet[:, 0] = math.log(0.997)
    search = NgramSearch(graph_of(model), rescorer=rescorer_of(neural, within=8.0))
    search.push(quiet)
    assert not search.finish().words


def test_an_added_word_is_heard_whatever_its_letters(neural: NeuralLm) -> None:
    """The neural model never met it, the n-grams give it what it was added with."""
    model = DictModel(WORDS, {(word,): -3.0 for word in (*WORDS, "</s>")})
    night = LEXICON.pronunciations("night")
    added = Addition(ways={"nächt-7": night}, further={"nächt-7": night}, log_prob=-1.0)
    graph = extend_word_loop(graph_of(model), added, scale=SCALE, word_penalty=-0.25)
    frames = np.full((9, 4), math.log(0.01), dtype=np.float32)
    frames[np.arange(9), [0, 1, 2, 3, 0, 1, 2, 3, 0]] = math.log(0.97)
    search = NgramSearch(graph, rescorer=rescorer_of(neural, share=0.5, within=8.0))
    search.push(frames)
    [score] = neural.score([["nächt-7", "nächt-7"]])
    [other] = neural.score([["knight", "knight"]])
    assert score.sum() < other.sum() + 5
    assert "nächt-7 nächt-7" in {h.text for h in search.rescored()}
    assert graph.lm is not None
    number = next(n for n, output in enumerate(graph.outputs) if output.word == "nächt-7")
    [ngrams] = graph.lm.follow([[number, number]], graph.lm.start)
    np.testing.assert_allclose(ngrams, SCALE * np.array([-1.0, -1.0, -3.0]), rtol=1e-6)


EVEN = DictModel(WORDS, {(word,): -2.0 for word in (*WORDS, "</s>")})
CHANGES_MUCH = {"share": 1.0, "scale": 4.0, "within": 6.0, "sentences": 30}
"""The random model has the last word."""


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.sets(st.integers(1, 199), max_size=8),
    settle_s=st.sampled_from([0.5, 1.8, 60.0]),
    records=st.sampled_from([64, 1 << 16]),
)
def test_stable_words_stay_however_the_audio_is_cut(
    neural: NeuralLm,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    cuts: set[int],
    settle_s: float,
    records: int,
) -> None:
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", records)
    rescorer = rescorer_of(neural, **CHANGES_MUCH, settle_s=settle_s)
    log_probs, graph = emissions(seed, 200), graph_of(EVEN)
    whole, parts = (NgramSearch(graph, beam=9.0, rescorer=rescorer) for _ in range(2))
    whole.push(log_probs)
    shown: list[tuple[str, ...]] = [()]
    for part in np.split(log_probs, sorted(cuts)):
        parts.push(part)
        best = parts.best()
        shown.append(tuple(hit.word for hit in best.words[: best.stable_words]))
        assert shown[-1][: len(shown[-2])] == shown[-2]
    found = parts.rescored()
    assert found == whole.rescored()
    assert parts.finish() == whole.finish()
    for hypothesis in (*found, parts.finish()):
        assert tuple(hit.word for hit in hypothesis.words[: len(shown[-1])]) == shown[-1]
    assert shown[-1] or settle_s == 60


def test_settled_words_are_those_of_the_better_model(neural: NeuralLm) -> None:
    """They differ from the search's, and times, scores and weights are those of the path that was chosen."""
    changed = 0
    for seed in range(12):
        log_probs = emissions(seed, 160)
        search = NgramSearch(
            graph_of(EVEN), beam=12.0, rescorer=rescorer_of(neural, **CHANGES_MUCH, settle_s=0.5)
        )
        plain = NgramSearch(graph_of(EVEN), beam=12.0)
        search.push(log_probs)
        plain.push(log_probs)
        stable = search.best().stable_words
        assert stable
        found = search.finish()
        changed += found.words[:stable] != plain.finish().words[:stable]
        for hypothesis in (found, *search.nbest(20)):
            assert hypothesis.score == pytest.approx(path_score(hypothesis, log_probs), abs=1e-6)
            lost = path_score(hypothesis, log_probs, weights=False) - path_score(hypothesis, log_probs)
            greedy = float(log_probs.max(axis=1).astype(np.float64).sum())
            assert hypothesis.deficit == pytest.approx(hypothesis.score + lost - greedy, abs=1e-6)
        assert found.score <= plain.finish().score + 1e-6
    assert changed > 6


def path_score(hypothesis: Hypothesis, log_probs: Float32Array, *, weights: bool = True) -> float:
    """What words and the blanks between them score, added up from the words' own figures."""
    rows = log_probs.astype(np.float64)
    best, blank = rows.max(axis=1), rows[:, 0]
    score, at = 0.0, 0
    for hit in hypothesis.words:
        score += float(blank[at : hit.start_frame].sum() + best[hit.start_frame : hit.end_frame].sum())
        score += hit.deficit + weights * hit.weight
        at = hit.end_frame
    ending = -2.0 * SCALE * weights
    return score + float(blank[at:].sum()) + ending


def test_a_model_that_agrees_changes_nothing(neural: NeuralLm) -> None:
    uneven = {(word,): -2.0 - place / 8 for place, word in enumerate((*WORDS, "</s>"))}
    graph = graph_of(DictModel(WORDS, uneven))
    rescorer = rescorer_of(neural, share=1e-9, scale=SCALE, within=6.0, sentences=30, settle_s=0.5)
    plain, settling = NgramSearch(graph, beam=9.0), NgramSearch(graph, beam=9.0, rescorer=rescorer)
    for seed in range(8):
        for search in (plain, settling):
            search.push(emissions(seed, 150))
        expected = plain.finish()
        for found in (settling.finish(), settling.rescored()[0]):
            assert found.words == expected.words
            assert found.score == pytest.approx(expected.score, abs=1e-4)
    assert 0 < settling.best().stable_words <= plain.best().stable_words


def test_scores_count_what_settled(neural: NeuralLm) -> None:
    """A sentence scores the same whether its beginning has settled or not, or less: by a way that stayed."""
    graph, log_probs = graph_of(EVEN), emissions(5, 60)
    settings = {"share": 0.6, "within": 7.0, "sentences": 10**6}
    rescorer = rescorer_of(neural, **settings, settle_s=0.5)
    late, early = (
        NgramSearch(graph, beam=12.0, rescorer=rescorer, lists_all=lists_all) for lists_all in (True, False)
    )
    for search in (late, early):
        search.push(log_probs)
    assert early.best().stable_words and not late.best().stable_words
    expected = {hypothesis.text: hypothesis.score for hypothesis in late.rescored()}
    found = early.rescored()
    less = np.array([expected[hypothesis.text] - hypothesis.score for hypothesis in found])
    assert (less > -2e-3).all()
    assert np.count_nonzero(less < 2e-3) > 3


def test_endless_speech_settles(neural: NeuralLm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded, also where nothing old enough lies on what is best."""
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", 256)
    monkeypatch.setattr("edge_asr.decoder.ngram_search.SETTLE_AFTER", 100)
    search = NgramSearch(
        graph_of(EVEN), beam=9.0, rescorer=rescorer_of(neural, **CHANGES_MUCH), lists_all=True
    )
    sizes, stable = [], []
    for seed in range(16):
        search.push(emissions(seed, 100))
        sizes.append(search.nbytes)
        stable.append(search.best().stable_words)
    assert max(sizes[8:]) <= max(sizes[:8])
    assert stable[-1] > stable[4] > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": 0.0},
        {"share": 1.1},
        {"scale": 0.0},
        {"sentences": 1},
        {"within": 0.0},
        {"history_words": -1},
        {"settle_s": 0.1},
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RescoringConfig(**wrong)  # type: ignore[arg-type]
