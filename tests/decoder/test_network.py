from __future__ import annotations

import pytest

from edge_asr.decoder import network as network_module
from edge_asr.decoder.network import IntentMark, WordNetwork
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
