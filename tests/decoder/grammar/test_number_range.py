from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.grammar.census import count_sentences, enumerate_sentences
from edge_asr.decoder.grammar.number_range import CONVERT, minimal_network, spelled_network
from edge_asr.decoder.grammar.numbers import spell_decimal
from edge_asr.understand.values import convert


@given(st.sets(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple), min_size=1, max_size=12))
def test_network_accepts_each_sentence_once_and_no_other(sentences: set[tuple[str, ...]]) -> None:
    network = minimal_network(sentences)
    assert count_sentences(network) == len(sentences)
    assert set(enumerate_sentences(network, 99)) == {" ".join(words) for words in sentences}


def test_ways_that_go_on_alike_share_their_nodes() -> None:
    numbers = tuple(map(str, range(100)))
    network = spelled_network(numbers)
    assert len(network.arcs) < 60
    assert count_sentences(network) == 100


@given(st.integers(-999_999, 999_999), st.sampled_from(["", ".5", ".3"]))
def test_converter_reads_every_number_that_is_spelled(whole: int, fraction: str) -> None:
    digits = f"{whole}{fraction}"
    for words in spell_decimal(digits):
        assert convert(CONVERT, words) == float(digits)


def test_number_that_cannot_be_spelled() -> None:
    with pytest.raises(ValueError, match="999,999"):
        spelled_network(("1000000",))
