"""What is shown as stable begins every sentence that may be listed, however the speech goes on."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from backoff_lms import DictModel, automaton, models
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.decoder.biasing import Phrases
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.tokens import Tokens

TOKENS = Tokens(["<blk>", "N", "AY", "T"])
LEXICON = Lexicon("night N AY T\nknight N AY T\neye AY\ni AY\ntie T AY\nt T\n", TOKENS)
WORDS = ("knight", "eye", "i", "tie")
PHRASES = Phrases({(WORDS.index("eye"), WORDS.index("tie")): 1.5, (WORDS.index("i"),): -2.0}, len(WORDS) + 1)
Sentence = tuple[str, ...]


def graph_of(model: DictModel) -> Graph:
    unigrams = [(word, model.log_probs[(word,)]) for word in model.words]
    loop = compile_word_loop(unigrams, LEXICON, homophones=True)
    return dataclasses.replace(loop, lm=automaton(model), free_text=True)


def flat() -> Graph:
    """Any word as likely as any other, whatever was said; "eye" and "i" sound alike."""
    model = DictModel(WORDS, {(word,): -2.0 for word in (*WORDS, "</s>")})
    model.log_probs[("i",)] = -7.0
    return graph_of(model)


def emissions(seed: int, frames: int, sharpness: float) -> Float32Array:
    """Phones of three frames, more or less clear."""
    rng = np.random.default_rng(seed)
    spoken = np.repeat(rng.integers(0, len(TOKENS), frames // 3 + 1), 3)[:frames]
    logits = rng.standard_normal((frames, len(TOKENS)))
    logits[np.arange(frames), spoken] += sharpness
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits.astype(np.float32)


def stable(search: NgramSearch) -> Sentence:
    best = search.best()
    return tuple(hit.word for hit in best.words[: best.stable_words])


def common(sentences: Iterable[Sentence]) -> int:
    """How many of the first words all share."""
    columns = zip(*sentences, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda column: len(set(column)) == 1, columns))


def ways(search: NgramSearch, within: float) -> list[Sentence]:
    """The words of all ways within reach, one by one."""
    assert search._paths._alternatives
    found = search._paths._alternatives.nbest(np.zeros(search.active), 10**6, within=within)
    outputs = search.graph.outputs
    return [tuple(outputs[span.output].word for span in search._paths.trace(path)[0]) for _, path in found]


@contextmanager
def memories(records: int, recent: int, ahead: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", records)
        patch.setattr("edge_asr.decoder.rivals._RECENT", recent)
        patch.setattr("edge_asr.decoder.rivals._AHEAD", ahead)
        yield


@settings(max_examples=40, deadline=None)
@given(
    model=models(words=WORDS),
    seeds=st.tuples(*[st.integers(0, 2**32 - 1)] * 3),
    sharpness=st.floats(1.0, 8.0),
    within=st.sampled_from([0.5, 1.5, 4.0]),
    beam=st.sampled_from([6.0, 12.0]),
    settle_frames=st.sampled_from([5, 30, 1000]),
    cuts=st.lists(st.integers(0, 32), max_size=4),
    memory=st.sampled_from([(1 << 16, 16, 64), (64, 16, 64), (64, 2, 3), (1 << 16, 1, 1), (64, 3, 64)]),
    changes=st.tuples(*[st.sampled_from([None, PHRASES])] * 3),
)
def test_stable_words_begin_every_sentence_that_is_listed(
    model: DictModel,
    seeds: tuple[int, int, int],
    sharpness: float,
    within: float,
    beam: float,
    settle_frames: int,
    cuts: list[int],
    memory: tuple[int, int, int],
    changes: Sequence[Phrases | None],
) -> None:
    """Whatever follows what was heard so far, wherever it was cut, and whatever phrases are preferred."""
    graph, head = graph_of(model), emissions(seeds[0], 32, sharpness)
    with memories(*memory):
        for seed, parts in ((seeds[1], sorted(cuts)), (seeds[2], [])):
            search = NgramSearch(graph, beam=beam, alternatives=within, settle_frames=settle_frames)
            search.bias(changes[0])
            search.reset()
            shown: list[Sentence] = [()]
            for part in np.split(head, parts):
                search.push(part)
                shown.append(stable(search))
            after_head = shown[-1]
            for part, phrases in zip(np.split(emissions(seed, 20, sharpness), 2), changes[1:], strict=True):
                search.bias(phrases)
                search.push(part)
                shown.append(stable(search))
            listed = [tuple(hit.word for hit in found.words) for found in search.nbest(200)]
            for earlier, later in itertools.pairwise(shown):
                assert later[: len(earlier)] == earlier
            for words in listed:
                assert words[: len(shown[-1])] == shown[-1]
            if seed == seeds[1]:
                first = after_head
    assert after_head == first, "wherever the audio was cut"


@settings(max_examples=40, deadline=None)
@given(
    model=models(words=WORDS),
    seed=st.integers(0, 2**32 - 1),
    sharpness=st.floats(3.0, 8.0),
    within=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_all_words_are_stable_that_all_ways_within_reach_share(
    model: DictModel, seed: int, sharpness: float, within: float
) -> None:
    search = NgramSearch(graph_of(model), beam=9.0, alternatives=within, settle_frames=1000)
    for part in np.split(emissions(seed, 28, sharpness), range(4, 28, 4)):
        search.push(part)
        shown = len(stable(search))
        # Gaps are rounded: each of the few there are by a two-hundredth at the most.
        assert shown <= common(ways(search, within))
        assert shown >= common(ways(search, 1.1 * within))


def clear(phones: Sequence[int], repeats: int) -> Float32Array:
    """Each of these for one frame, nearly certain."""
    spoken = np.tile(phones, repeats)
    rows = np.full((spoken.size, len(TOKENS)), np.log(1e-4), dtype=np.float32)
    rows[np.arange(spoken.size), spoken] = np.log(1 - 3e-4)
    return rows


def test_a_clear_word_is_stable_long_before_it_settles() -> None:
    search = NgramSearch(flat(), alternatives=3.0, settle_frames=100)
    said = []
    for part in np.split(clear([1, 0, 2, 0, 3, 0, 0, 0], 15), 15):
        search.push(part)
        said.append((search.best().stable_words, len(search.best().words), len(search._paths._committed)))
    assert said[5][0] >= said[5][1] - 1 >= 4 and said[5][2] == 0, "none ended 100 frames ago"
    assert said[-1][0] >= said[-1][1] - 1 > said[-1][2]


def test_words_after_a_close_rival_wait_until_it_settles() -> None:
    """Of words that sound alike, where both are likely enough, neither is told to stay until one settles."""
    wide = NgramSearch(flat(), alternatives=6.0, settle_frames=40)
    narrow = NgramSearch(flat(), alternatives=4.0, settle_frames=40)
    counts = []
    for part in np.split(clear([2, 0, 0, 0, 0, 0], 15), 9):
        for search in (wide, narrow):
            search.push(part)
        counts.append((wide.best().stable_words, narrow.best().stable_words))
    assert counts[2][0] == 0 < counts[2][1] - 1, "i is 5 behind eye"
    assert counts[-1][1] > counts[-1][0] > 0
