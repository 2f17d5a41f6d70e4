"""The n-best list against all sentences, one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from backoff_lms import DictModel, automaton, models
from drawn_networks import networks
from exhaustive_ctc import align, scored
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.decoder.compile import compile_network, compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import WordNetwork
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis

TOKENS = Tokens(["<blk>", "N", "AY", "T", "M", "B"])
LEXICON = Lexicon(
    "night N AY T\nknight N AY T\ntime T AY M\nb B\nbi B AY\ntie T AY\ntie T T AY\nmy M AY\nmy M\n"
    "i AY\neye AY\n",
    TOKENS,
)
Texts = dict[tuple[str, ...], float]


def emissions(seed: int, frames: int) -> Float32Array:
    """Random log-probabilities with peaks in the phones, or blank wins nearly always."""
    logits = 2.0 * np.random.default_rng(seed).standard_normal((frames, len(TOKENS)))
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    logits[:, 0] -= 2.0
    return logits.astype(np.float32)


def listed(search: Search, log_probs: Float32Array, most: int = 10**6) -> list[Hypothesis]:
    search.push(log_probs)
    return search.nbest(most)


def texts(found: list[Hypothesis]) -> Texts:
    """Best score of each word sequence."""
    best: Texts = {}
    for hypothesis in found:
        best.setdefault(tuple(hit.word for hit in hypothesis.words), hypothesis.score)
    return best


def assert_same(found: Texts, expected: Texts) -> None:
    assert found.keys() == expected.keys()
    for words, score in expected.items():
        assert found[words] == pytest.approx(score, abs=1e-5), words


@settings(max_examples=200, deadline=None)
@given(
    networks(words=("night", "knight", "time", "b", "bi", "tie", "my")),
    st.integers(0, 6),
    st.integers(0, 2**32 - 1),
)
def test_equals_exhaustive_search(network: WordNetwork, frames: int, seed: int) -> None:
    log_probs = emissions(seed, frames)
    # Of words that sound alike between the same two nodes a graph knows the likelier one only.
    expected: Texts = {}
    sounds: dict[tuple[object, ...], tuple[str, ...]] = {}
    for score, said in scored(network, LEXICON, log_probs.astype(float).tolist()):
        words = tuple(item for item in said if isinstance(item, str))
        expected[words] = max(score, expected.get(words, -math.inf))
        sounds[words] = tuple("night" if word == "knight" else word for word in words)
    found = listed(Search(compile_network(network, LEXICON), beam=np.inf, alternatives=np.inf), log_probs)
    scores = [hypothesis.score for hypothesis in found]
    assert scores == sorted(scores, reverse=True)
    got = texts(found)
    # So sentences that differ in such words alone are compared as one.
    best_sounds: Texts = {}
    for words, score in expected.items():
        best_sounds[sounds[words]] = max(score, best_sounds.get(sounds[words], -math.inf))
    got_sounds: Texts = {}
    for words, score in got.items():
        assert score <= expected[words] + 1e-5
        got_sounds[sounds[words]] = max(score, got_sounds.get(sounds[words], -math.inf))
    assert_same(got_sounds, best_sounds)


def loop_of(model: DictModel) -> Graph:
    unigrams = [(word, model.log_probs[(word,)]) for word in model.words]
    loop = compile_word_loop(unigrams, LEXICON, homophones=True)
    return Graph.weighed(Graph(**{**vars(loop), "lm": automaton(model)}), 1.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(models(words=("eye", "i", "tie", "my")), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_with_a_language_model_equals_exhaustive_search(model: DictModel, frames: int, seed: int) -> None:
    log_probs = emissions(seed, frames)
    rows = log_probs.astype(float).tolist()
    expected: Texts = {}
    for length in range(1, frames + 1):
        for words in itertools.product(model.words, repeat=length):
            for choice in itertools.product(*(LEXICON.pronunciations(word) for word in words)):
                phones = list(itertools.chain.from_iterable(choice))
                score = align(rows, phones) + model.sentence(words, 3)
                if score > -math.inf:
                    expected[words] = max(score, expected.get(words, -math.inf))
    search = NgramSearch(loop_of(model), beam=np.inf, max_active=10**6, alternatives=np.inf)
    found = listed(search, log_probs)
    assert len(texts(found)) == len(found), "a word sequence came twice"
    assert_same(texts(found), expected)


@settings(max_examples=60, deadline=None)
@given(models(words=("eye", "i", "tie", "my")), st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_each_entry_is_a_path(model: DictModel, seed: int, most: int) -> None:
    """Times rise, deficits and weights add up to the score, whatever was pushed aside on the way."""
    log_probs = emissions(seed, 25)
    search = NgramSearch(loop_of(model), beam=np.inf, max_active=10**6, alternatives=np.inf)
    greedy = float(log_probs.astype(np.float64).max(axis=1).sum())
    for hypothesis in listed(search, log_probs, most):
        ends = 0
        for hit in hypothesis.words:
            assert ends <= hit.start_frame < hit.end_frame <= 25
            assert hit.deficit <= 1e-9
            # The phones of the word, aligned within its frames, score what its deficit says at best.
            rows = log_probs[hit.start_frame : hit.end_frame].astype(np.float64)
            best = align(rows.tolist(), list(hit.phones)) - rows.max(axis=1).sum()
            assert hit.deficit == pytest.approx(best, abs=1e-5)
            ends = hit.end_frame
        words = [hit.word for hit in hypothesis.words]
        assert hypothesis.score - greedy - hypothesis.deficit == pytest.approx(
            model.sentence(words, 3), abs=1e-4
        )
        assert sum(hit.deficit for hit in hypothesis.words) >= hypothesis.deficit - 1e-6


@settings(max_examples=40, deadline=None)
@given(
    networks(words=("night", "time", "b", "bi", "tie", "my")),
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 30), max_size=4),
    st.sampled_from([(np.inf, 10**6), (6.0, 10**6), (14.0, 7)]),
)
def test_any_chunking_gives_the_same_list(
    network: WordNetwork, seed: int, cuts: list[int], pruning: tuple[float, int]
) -> None:
    log_probs, graph = emissions(seed, 30), compile_network(network, LEXICON)
    beam, max_active = pruning
    whole = Search(graph, beam=beam, max_active=max_active, alternatives=8.0)
    expected = listed(whole, log_probs, 20)
    parts = Search(graph, beam=beam, max_active=max_active, alternatives=8.0)
    for part in np.split(log_probs, sorted(cuts)):
        parts.push(part)
        parts.nbest(2)
    assert parts.nbest(20) == expected
    plain = Search(graph, beam=beam, max_active=max_active)
    plain.push(log_probs)
    assert parts.finish() == plain.finish()
    if plain.finish().words:
        assert expected[0].score == pytest.approx(plain.finish().score)


@pytest.mark.parametrize("records", [64, 1 << 16])
def test_small_memories_change_nothing(monkeypatch: pytest.MonkeyPatch, records: int) -> None:
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", records)
    model = DictModel(["night", "time", "b", "bi", "tie", "my"])
    for i, word in enumerate((*model.words, "</s>")):
        model.log_probs[(word,)] = -1.0 - i / 8
    log_probs = emissions(3, 300)
    search = NgramSearch(loop_of(model), beam=20.0, alternatives=6.0)
    found = listed(search, log_probs, 30)
    assert len(found) == 30
    assert [round(h.score, 3) for h in found[:3]] == [round(h.score, 3) for h in unbounded()[:3]]
    assert found == unbounded()


def unbounded() -> list[Hypothesis]:
    """The list of the largest memory."""
    model = DictModel(["night", "time", "b", "bi", "tie", "my"])
    for i, word in enumerate((*model.words, "</s>")):
        model.log_probs[(word,)] = -1.0 - i / 8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", 1 << 20)
        return listed(NgramSearch(loop_of(model), beam=20.0, alternatives=6.0), emissions(3, 300), 30)


def test_endless_streams_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded, and the list goes on with the words that have not settled."""
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", 256)
    monkeypatch.setattr("edge_asr.decoder.paths.SETTLE_AFTER", 100)
    graph = compile_word_loop([(word, -2.0) for word in ("night", "time", "b", "tie", "my")], LEXICON)
    search = Search(graph, beam=12.0, alternatives=4.0)
    sizes = []
    for seed in range(40):
        search.push(emissions(seed, 100))
        sizes.append(search.nbytes)
    assert max(sizes[20:]) <= max(sizes[:20])
    found = search.nbest(5)
    assert found[0] == search.finish()
    assert len({hypothesis.text for hypothesis in found}) == 5
    plain = Search(graph, beam=12.0)
    plain.push(np.concatenate([emissions(seed, 100) for seed in range(40)]))
    assert plain.finish() == found[0]


def test_alternatives_must_have_been_kept() -> None:
    search = Search(compile_word_loop([("b", -1.0)], LEXICON))
    search.push(emissions(0, 3))
    with pytest.raises(ValueError, match="alternatives were not kept"):
        search.nbest(2)
