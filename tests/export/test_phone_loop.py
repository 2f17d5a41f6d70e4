"""The background: a bigram out of words, and a graph that hears any phones."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="the bigram's smoothing stands beside the criteria")

from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from export.phone_loop import SENTENCE_WORDS, phone_bigram, phone_loop

TOKENS = Tokens(["<blk>", "A", "B", "C"])
LEXICON = Lexicon("ab A B\nc C\n", TOKENS)
WORDS = [("ab", math.log(0.75)), ("c", math.log(0.25))]


def test_the_bigram_is_that_of_random_words() -> None:
    bigram = phone_bigram(WORDS, LEXICON)
    np.testing.assert_allclose(bigram.sum(axis=1), 1)
    on = 1 - 1 / SENTENCE_WORDS
    expected = [
        [0, 0.75, 0, 0.25],
        [0, 0, 1, 0],  # A is always followed by B
        [1 / SENTENCE_WORDS, 0.75 * on, 0, 0.25 * on],
        [1 / SENTENCE_WORDS, 0.75 * on, 0, 0.25 * on],
    ]
    np.testing.assert_allclose(bigram, expected, atol=2e-3)
    assert (bigram > 0).all(), "what no word has may still be heard"


def test_the_loop_hears_any_phones_at_their_price() -> None:
    said = [1, 2, 3, 1, 2]
    log_probs = np.full((7, 4), math.log(0.02), dtype=np.float32)
    log_probs[np.arange(7), [0, *said, 0]] = math.log(0.94)
    search = Search(phone_loop(WORDS, LEXICON))
    search.push(log_probs)
    found = search.finish()
    assert [token for hit in found.words for token in hit.phones] == said
    bigram = phone_bigram(WORDS, LEXICON)
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 1], [1, 2], [2, 0]])
    expected = 7 * math.log(0.94) + np.log(bigram[pairs[:, 0], pairs[:, 1]]).sum()
    assert found.score == pytest.approx(expected, abs=6 / 32)
