from __future__ import annotations

from edge_asr.decoder.grammar.census import random_paths
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.match import match
from edge_asr.decoder.network import IntentMark, SlotClose, SlotFixed, SlotOpen, WordNetwork


def test_path_bears_words_and_marks_in_order() -> None:
    network = parse_jsgf("#JSGF V1.0;\ngrammar g;\npublic <go> = go (far {s:1}) {t} now {u=2};")
    assert match(network, ["go", "far", "now"]) == [
        ("go", (IntentMark("go"),)),
        ("far", (SlotOpen("t"), SlotOpen("s"))),
        ("now", (SlotClose("s", 1), SlotClose("t"))),
        (None, (SlotFixed("u", 2),)),
    ]


def test_what_is_not_accepted_gives_none() -> None:
    network = parse_jsgf("#JSGF V1.0;\ngrammar g;\npublic <go> = go far*;")
    assert match(network, []) is None
    assert match(network, ["far"]) is None
    assert match(network, ["go", "far", "near"]) is None
    assert match(network, ["go", "far", "far"]) is not None


def test_heaviest_way_wins() -> None:
    network = WordNetwork("g")
    light, heavy = network.add_node(), network.add_node()
    network.add(network.start, light, "x", weight=-2.0)
    network.add(network.start, heavy, "x", weight=-1.0)
    network.add(light, network.end, mark=IntentMark("Light"))
    network.add(heavy, network.end, mark=IntentMark("Heavy"))
    assert match(network, ["x"]) == [("x", ()), (None, (IntentMark("Heavy"),))]


def test_every_path_of_a_network_is_found() -> None:
    network = parse_jsgf(
        "#JSGF V1.0;\ngrammar g;\npublic <a> = [x] <b>{s}* (y | z {t=1})+; <b> = p q | p [r];"
    )
    for path in random_paths(network, 100, seed=0):
        words = [word for word, _ in path if word is not None]
        found = match(network, words)
        assert found is not None
        assert [word for word, _ in found if word is not None] == words
