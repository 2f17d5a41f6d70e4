from __future__ import annotations

from collections.abc import Iterator

import pytest
from drawn_networks import networks
from exhaustive_ctc import sentences
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.decoder.graph import Ending
from edge_asr.decoder.network import Mark, SlotClose, SlotOpen, WordNetwork
from edge_asr.decoder.wordgraph import WordGraph, build_word_graph
from edge_asr.errors import GrammarError


def accepted(
    graph: WordGraph, most_words: int
) -> Iterator[tuple[str, tuple[str, ...], tuple[Mark | str, ...], float]]:
    """Network, words, words and marks in order, and weight of every path of the graph."""
    stack: list[tuple[int, tuple[Mark | str, ...], float]] = [(graph.start, (), 0.0)]
    while stack:
        node, said, weight = stack.pop()
        words = tuple(item for item in said if isinstance(item, str))
        if node in graph.finals:
            extra, ending = graph.finals[node]
            yield ending.network, words, said + ending.marks, weight + extra
        if len(words) < most_words:
            for number, step_weight, target in graph.steps[node]:
                output = graph.outputs[number]
                more = (*output.before, output.word, *output.after)
                stack.append((target, said + more, weight + step_weight))


@settings(max_examples=300)
@given(st.lists(networks(words=("a", "b")), min_size=1, max_size=2))
def test_keeps_every_sentence_at_its_best_weight(drawn: list[WordNetwork]) -> None:
    expected: dict[tuple[str, ...], float] = {}
    read: set[tuple[str, tuple[Mark | str, ...], float]] = set()
    for network in drawn:
        for words, said, weight in sentences(network, 4):
            expected[words] = max(weight, expected.get(words, weight))
            read.add((network.name, said, weight))
    got: dict[tuple[str, ...], float] = {}
    for name, words, said, weight in accepted(build_word_graph(drawn), 4):
        got[words] = max(weight, got.get(words, weight))
        assert (name, said, weight) in read
    assert got == expected


def line(network: WordNetwork, *words: str) -> None:
    """Add one sentence of its own nodes."""
    at = network.start
    for word in words:
        after = network.add_node()
        network.add(at, after, word)
        at = after
    network.add(at, network.end)


def test_sentences_share_beginnings_and_ends() -> None:
    network = WordNetwork("n")
    for verb in ("open", "shut"):
        for thing in ("door", "gate", "window"):
            line(network, "please", verb, "the", thing, "now")
    graph = build_word_graph([network])
    assert len(graph.steps) == 6
    assert sum(map(len, graph.steps.values())) == 1 + 2 + 1 + 3 + 1


def test_names_of_a_slot_share_what_follows() -> None:
    network = WordNetwork("n")
    opened, closed = network.add_node(), network.add_node()
    network.add(network.start, opened, mark=SlotOpen("name"))
    for value in range(20):
        said = network.add_node()
        network.add(opened, said, f"name{value}")
        network.add(said, closed, mark=SlotClose("name", value))
    network.add(closed, network.end, "off")
    network.add(closed, network.end)
    graph = build_word_graph([network])
    assert len(graph.steps) == 3
    assert graph.outputs[7].before == (SlotOpen("name"),)
    assert graph.outputs[7].after == (SlotClose("name", 7),)


def test_marks_keep_their_order() -> None:
    network = WordNetwork("n")
    one, two, three = (network.add_node() for _ in range(3))
    network.add(network.start, one, mark=SlotOpen("outer"))
    network.add(one, two, mark=SlotOpen("inner"))
    network.add(one, two, "maybe")
    network.add(two, three, "go", mark=SlotOpen("innermost"))
    network.add(three, network.end, mark=SlotClose("innermost"))
    network.add(three, network.end, "now", mark=SlotClose("inner"))
    said = {said for _, _, said, _ in accepted(build_word_graph([network]), 3)}
    opened = (SlotOpen("outer"), SlotOpen("inner"), SlotOpen("innermost"), "go")
    assert (*opened, SlotClose("innermost")) in said
    assert (*opened, SlotClose("inner"), "now") in said
    assert (SlotOpen("outer"), "maybe", SlotOpen("innermost"), "go", SlotClose("innermost")) in said
    assert len(said) == 4


def test_ends_name_their_network() -> None:
    one, two = WordNetwork("one"), WordNetwork("two")
    line(one, "stop", "it")
    line(two, "stop", "that")
    graph = build_word_graph([one, two])
    assert {ending for _, ending in graph.finals.values()} == {Ending("one"), Ending("two")}
    assert len(graph.steps[graph.start]) == 1, "the shared first word is one step"


def test_impossible_arcs_and_dead_ends_vanish() -> None:
    network = WordNetwork("n")
    line(network, "go")
    network.add(network.start, network.add_node(), "nowhere")
    network.add(network.start, network.end, "never", weight=float("-inf"))
    graph = build_word_graph([network])
    assert [output.word for output in graph.outputs] == ["go"]


def test_cycle_without_words_is_refused_with_its_line() -> None:
    network = WordNetwork("g.jsgf")
    node = network.add_node()
    network.add(network.start, node, "go", line=2)
    network.add(node, node, line=5)
    network.add(node, network.end, line=3)
    with pytest.raises(GrammarError, match=r"g\.jsgf:5: .*without saying a word"):
        build_word_graph([network])


def test_longer_cycle_without_words_is_refused() -> None:
    network = WordNetwork("g.jsgf")
    one, two = network.add_node(), network.add_node()
    network.add(network.start, one, line=7)
    network.add(one, two, line=9)
    network.add(two, one, line=8)
    network.add(two, network.end, "go", line=1)
    with pytest.raises(GrammarError) as caught:
        build_word_graph([network])
    assert caught.value.line == 8


@pytest.mark.parametrize("words", [[], [None]])
def test_grammar_without_a_sentence_is_refused(words: list[None]) -> None:
    network = WordNetwork("empty")
    for word in words:
        network.add(network.start, network.end, word)
    with pytest.raises(GrammarError, match="no complete sentence"):
        build_word_graph([network])
