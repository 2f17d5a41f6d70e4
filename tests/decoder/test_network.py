from __future__ import annotations

import pytest

from edge_asr.decoder import network as network_module
from edge_asr.decoder.grammar.words import phrase
from edge_asr.decoder.network import ANYTHING, IntentMark, Placeholder, WordNetwork
from edge_asr.errors import GrammarError


def test_trimmed_keeps_exactly_what_leads_from_start_to_end() -> None:
    network = WordNetwork("g")
    a, dead_end, unreachable = network.add_node(), network.add_node(), network.add_node()
    network.add(network.start, a, "x", weight=-1.0, line=3)
    network.add(network.start, dead_end, "lost")
    network.add(unreachable, network.end, "never")
    network.add(a, network.end, mark=IntentMark("I"))
    network.add(a, a, "again")
    trimmed = network.trimmed()
    assert trimmed.nodes == 3
    assert [(arc.word, arc.mark, arc.weight, arc.line) for arc in trimmed.arcs] == [
        ("x", None, -1.0, 3),
        (None, IntentMark("I"), 0.0, 0),
        ("again", None, 0.0, 0),
    ]
    assert all(0 <= node < 3 for arc in trimmed.arcs for node in (arc.source, arc.target))


def test_trimmed_of_what_accepts_nothing_has_no_arcs() -> None:
    network = WordNetwork("g")
    network.add(network.start, network.add_node(), "lost")
    trimmed = network.trimmed()
    assert trimmed.arcs == []
    assert trimmed.nodes == 2


def test_network_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "MAX_ARCS", 2)
    network = WordNetwork("big.jsgf")
    network.add(0, 1, "a")
    network.add(0, 1, "b")
    with pytest.raises(GrammarError, match=r"big\.jsgf:7: .*more than 2 arcs"):
        network.add(0, 1, "c", line=7)
    assert len(network.arcs) == 2


def test_inserted_network_cannot_be_left_by_its_start() -> None:
    loop = WordNetwork("loop")
    loop.add(loop.start, loop.start, "again", optional=True)
    loop.add(loop.start, loop.end, "done", mark=IntentMark("I"), weight=-1.0)
    network = WordNetwork("g")
    network.add(network.start, network.end, "other", line=2)
    network.insert(loop, network.start, network.end, line=7)
    assert {arc.line for arc in network.arcs} == {2, 7}
    [done] = [arc for arc in network.arcs if arc.word == "done"]
    assert (done.mark, done.weight) == (IntentMark("I"), -1.0)
    [again] = [arc for arc in network.arcs if arc.word == "again"]
    assert again.optional and again.source != network.start
    assert loop.arcs[0].line == 0, "the network put in stays as it was"


def test_placeholders_are_no_vocabulary_and_can_be_filled() -> None:
    contact = Placeholder("contact", "who")
    network = WordNetwork("g")
    network.add(network.start, network.end, "call", line=1)
    network.add(network.start, network.end, contact, mark=IntentMark("I"), weight=-2.0, line=3)
    network.add(network.start, network.end, ANYTHING, line=4)
    assert list(network.vocabulary()) == [("call", 1)]
    assert network.placeholders() == {contact: 3, ANYTHING: 4}
    names = WordNetwork("names")
    names.add(names.start, names.end, "bob", line=99)
    filled = network.filled({contact: names})
    assert list(filled.vocabulary()) == [("call", 1), ("bob", 3)]
    assert filled.placeholders() == {ANYTHING: 4}
    assert [(arc.mark, arc.weight) for arc in filled.arcs if arc.mark] == [(IntentMark("I"), -2.0)]


def test_placeholder_is_told_from_every_word() -> None:
    assert (str(Placeholder("a")), str(Placeholder("a", "s"))) == ("{a}", "{a:s}")
    assert (Placeholder("a", "s").list, Placeholder("a", "s").slot, Placeholder("a").slot) == ("a", "s", None)
    assert phrase("{a}") == [(("a",),)]
