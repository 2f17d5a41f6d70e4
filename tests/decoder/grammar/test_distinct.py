from __future__ import annotations

import math

import pytest
from drawn_networks import networks
from exhaustive_ctc import sentences
from hypothesis import given, settings

from edge_asr.decoder.grammar import distinct as distinct_module
from edge_asr.decoder.grammar.census import count_sentences
from edge_asr.decoder.grammar.distinct import MOST_COUNTED, distinct_sentences
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.sentences import parse_sentences
from edge_asr.decoder.grammar.templates import parse_templates
from edge_asr.decoder.network import WordNetwork

HEADER = "#JSGF V1.0;\ngrammar g;\n"


@settings(max_examples=50)
@given(networks(words=("a", "b"), cycles=False))
def test_counts_the_different_sentences(network: WordNetwork) -> None:
    assert distinct_sentences(network).count == len({words for words, _, _ in sentences(network, 8)})


def test_a_loop_is_endless() -> None:
    assert distinct_sentences(parse_jsgf(HEADER + "public <a> = x+;")).count == math.inf


def test_nothing_accepted_is_nothing_counted() -> None:
    assert distinct_sentences(WordNetwork("g")).count == 0


def test_counting_stops_at_10_to_the_18() -> None:
    network = parse_jsgf(HEADER + f"public <a> = {'(x | y) ' * 1000};")
    assert distinct_sentences(network).count == MOST_COUNTED + 1
    assert count_sentences(network, at_most=MOST_COUNTED) == MOST_COUNTED
    assert count_sentences(network) == 2**1000


def test_gives_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The n-th word from the end is x: 2^n states."""
    network = parse_jsgf(HEADER + f"public <a> = (x | y)* x {'(x | y) ' * 12};")
    monkeypatch.setattr(distinct_module, "MOST_PLACES", 1000)
    assert distinct_sentences(network).count is None


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("yes\nno\n", []),
        ("yes\nno\nYes!\n", [("yes",)]),
        ("turn it on\nturn on\nplease turn it off\nturn  it, on\n", [("turn", "it", "on")]),
        ("a b c\na b d\n", []),
    ],
)
def test_lines_that_repeat_each_other(text: str, repeated: list[tuple[str, ...]]) -> None:
    assert distinct_sentences(parse_sentences(text)).repeated == repeated


def test_templates_that_repeat_each_other() -> None:
    text = (
        "language: en\nintents:\n  A:\n    data:\n      - sentences:\n"
        "          - turn [it] up\n          - (turn|switch) up\n          - down [down]\n          - down\n"
    )
    found = distinct_sentences(parse_templates(text))
    assert found.count == 5
    assert set(found.repeated) == {("turn", "up"), ("down",)}


def test_a_repeat_within_one_line_is_no_mistake() -> None:
    assert distinct_sentences(parse_jsgf(HEADER + "public <a> = x (y | y);")).repeated == []
