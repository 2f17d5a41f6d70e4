from __future__ import annotations

from edge_asr.decoder.grammar.census import enumerate_paths, enumerate_sentences
from edge_asr.decoder.grammar.fragments import FragmentNetwork
from edge_asr.decoder.grammar.words import SPACE
from edge_asr.decoder.network import IntentMark, Mark, SlotClose, SlotFixed, SlotOpen, WordNetwork

START, END = FragmentNetwork.START, FragmentNetwork.END


def merged(fragments: FragmentNetwork) -> WordNetwork:
    network = WordNetwork("test")
    fragments.merge_into(network, network.start, network.end)
    return network


def test_fragments_join_until_white_space() -> None:
    fragments = FragmentNetwork()
    middle = fragments.add_node()
    fragments.add_text(START, middle, "two par", 1)
    fragments.add_text(middle, END, "ts here", 1)
    assert enumerate_sentences(merged(fragments), 9) == ["two parts here"]


def test_numbers_are_words_of_their_own() -> None:
    fragments = FragmentNetwork()
    fragments.add_text(START, END, "mp3player", 1)
    assert enumerate_sentences(merged(fragments), 9) == ["mp three player"]


def test_marks_within_a_word_move_to_its_edges_in_order() -> None:
    fragments = FragmentNetwork()
    inside: list[Mark | str] = [SlotOpen("s"), "b", SlotClose("s", 1), SlotFixed("f", 2), "c"]
    node = START
    for part in [IntentMark("i"), "a", *inside, SlotClose("o")]:
        after = fragments.add_node()
        if isinstance(part, str):
            fragments.add(node, after, part)
        else:
            fragments.add(node, after, mark=part)
        node = after
    fragments.add(node, END)
    (path,) = enumerate_paths(merged(fragments))
    assert path == [
        ("abc", (IntentMark("i"), SlotOpen("s"), SlotFixed("f", 2))),
        (None, (SlotClose("s", 1), SlotClose("o"))),
    ]


def test_ways_that_differ_in_one_word_share_the_rest() -> None:
    """A hundred rooms before a long tail must not copy the tail a hundred times."""
    fragments = FragmentNetwork()
    after = fragments.add_node()
    for i in range(100):
        fragments.add_text(START, after, "room" + "abcdefghij"[i // 10] + "abcdefghij"[i % 10], 1)
    fragments.add_text(after, END, " " + " ".join(["tail"] * 50), 1)
    network = merged(fragments)
    assert sum(arc.word is not None for arc in network.arcs) == 150


def test_ways_through_a_word_that_meet_again_count_once() -> None:
    """2^40 ways without text between two letters are one word."""
    fragments = FragmentNetwork()
    node = fragments.add_node()
    fragments.add(START, node, "a")
    for _ in range(40):
        after = fragments.add_node()
        fragments.add(node, after)
        fragments.add(node, after)
        node = after
    fragments.add(node, END, "b")
    assert [arc.word for arc in merged(fragments).arcs if arc.word] == ["ab"]


def test_quotation_marks_alone_are_no_word() -> None:
    fragments = FragmentNetwork()
    a, b = fragments.add_node(), fragments.add_node()
    fragments.add(START, a, "'")
    fragments.add(a, b, SPACE)
    fragments.add(b, END, "on'")
    assert enumerate_sentences(merged(fragments), 9) == ["on'"]
