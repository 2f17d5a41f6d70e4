from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.lm import LanguageModel
from edge_asr.decoder.open_words import OpenWords, open_words_graph
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import GrammarError

TOKENS = Tokens(["<blk>", "A", "B", "C"])
LEXICON = Lexicon("a A\nab A B\nabc A B C\nbc B C\n", TOKENS)


def loop(*, modelled: bool) -> Graph:
    made = compile_word_loop([(word, -1.0) for word in LEXICON.words()], LEXICON)
    if not modelled:
        return made
    zero = np.zeros(1, dtype=np.int32)
    nothing = np.empty(0)
    lm = LanguageModel(
        start=0,
        unigrams=np.array([-3.0, -1.0, -4.0, -2.0, -5.0], dtype=np.float32),
        unigram_states=np.zeros(5, dtype=np.int32),
        keys=nothing.astype(np.int64),
        log_probs=nothing.astype(np.float32),
        next_states=nothing.astype(np.int32),
        backoffs=zero.astype(np.float32),
        backoff_states=zero,
    )
    return dataclasses.replace(made, lm=lm)


def words_of(graph: Graph) -> list[str]:
    return [output.word for output in graph.outputs]


def test_most_frequent_words_are_taken() -> None:
    graph = open_words_graph(loop(modelled=True), LEXICON, OpenWords(words=2, word_penalty=-0.5))
    assert words_of(graph) == ["ab", "bc"]
    # Two words, each to be entered from the start and from the word before.
    assert sorted(set(graph.weights.tolist())) == [-2.5, -1.5, 0.0]


def test_words_that_the_lexicon_lacks_are_passed_over() -> None:
    smaller = Lexicon("a A\nbc B C\nabc A B C\n", TOKENS)
    assert words_of(open_words_graph(loop(modelled=True), smaller, OpenWords(words=2))) == ["bc", "a"]


def test_without_a_language_model_all_words_are_alike() -> None:
    graph = open_words_graph(loop(modelled=False), LEXICON, OpenWords(words=4, word_penalty=0.0))
    assert words_of(graph) == ["a", "ab", "abc", "bc"]
    assert graph.weights.min() == pytest.approx(-np.log(4))
    with pytest.raises(GrammarError, match=r"4 words and no language model .*OpenWords\(words=4\)"):
        open_words_graph(loop(modelled=False), LEXICON, OpenWords(words=3))


def test_at_least_one_word() -> None:
    with pytest.raises(ValueError, match="at least one word"):
        OpenWords(words=0)
