from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textbook import ngram_counts

from edge_asr.errors import UsageError
from export.lm import counts as counts_module
from export.lm.counts import count_ngrams, numbered
from export.lm.model import vocabulary

WORDS = vocabulary(["a", "b", "c"])


def listed(lines: list[str], order: int) -> dict[tuple[str, ...], int]:
    """All n-grams that were counted at least once."""
    found = count_ngrams(numbered(lines, WORDS), order=order, size=len(WORDS))
    return {
        tuple(WORDS[int(key) // len(WORDS) ** back % len(WORDS)] for back in range(length - 1, -1, -1)): int(
            n
        )
        for length, (keys, ns) in enumerate(zip(found.keys, found.counts, strict=True), start=1)
        for key, n in zip(keys, ns, strict=True)
        if n
    }


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), max_size=8), st.integers(1, 20))
def test_counts_equal_the_slow_way_however_the_text_is_cut(sentences: list[list[str]], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts_module, "_CHUNK_WORDS", chunk)
        found = listed([" ".join(sentence) for sentence in sentences], 3)
    slow: Counter[tuple[str, ...]] = sum(ngram_counts(sentences, 3).values(), Counter())
    assert found == slow


def test_no_ngram_reaches_over_an_unknown_word() -> None:
    assert listed(["a zebra b"], 2) == {
        ("a",): 1,
        ("b",): 1,
        ("</s>",): 1,
        ("<s>", "a"): 1,
        ("b", "</s>"): 1,
    }


def test_lines_are_cut_into_lower_case_words() -> None:
    chunks = list(numbered(["A, b -- C!\n", "\n", "..."], WORDS))
    assert [[WORDS[i] for i in chunk] for chunk in chunks] == [["<s>", "a", "b", "c", "</s>"]]


def test_an_order_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="63 bits"):
        count_ngrams([np.array([1, 2])], order=4, size=60_000)
