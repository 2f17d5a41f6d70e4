"""Endpoint rules on plain numbers, and what a search says of its state."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge_asr.arrays import Float32Array
from edge_asr.decoder.compile import compile_network, compile_word_loop
from edge_asr.decoder.endpoint import PRESETS, EndpointConfig, Progress, State, ended
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import IntentMark, SlotClose, SlotOpen, WordNetwork
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens

TOKENS = Tokens(["<blk>", "A", "B", "C", "D"])
LEXICON = Lexicon("ab A B\nc C\ndab D A B\nad A D\n", TOKENS)
RULES = EndpointConfig(nothing_s=3.0, incomplete_s=1.0, complete_s=0.5, certain_s=0.1, longest_s=8.0)


@pytest.mark.parametrize(
    ("state", "silence_s"), [("nothing", 3.0), ("incomplete", 1.0), ("complete", 0.5), ("certain", 0.1)]
)
def test_each_state_waits_its_time(state: State, silence_s: float) -> None:
    progress = Progress(state=state, silence_s=silence_s, duration_s=4.0)
    assert ended(progress, RULES) == ("complete" if state == "certain" else "silence")
    before = dataclasses.replace(progress, silence_s=silence_s - 0.03)
    assert ended(before, RULES) is None
    assert ended(dataclasses.replace(before, duration_s=8.0), RULES) == "too_long"


def test_presets_wait_ever_longer() -> None:
    fast, balanced, patient = (dataclasses.astuple(PRESETS[name]) for name in ("fast", "balanced", "patient"))
    assert all(a < b < c for a, b, c in zip(fast, balanced, patient, strict=True))


@pytest.mark.parametrize(
    "wrong", [{"certain_s": 0.0}, {"certain_s": 0.7}, {"incomplete_s": 20.0}, {"nothing_s": 16.0}]
)
def test_rules_that_contradict_each_other_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"expected 0 < certain_s|nothing_s must lie"):
        EndpointConfig(**wrong)


def heard(labels: str) -> Float32Array:
    """One frame for each letter, "_" is blank, nearly certain."""
    frames = np.full((len(labels), len(TOKENS.names)), np.log(0.001), dtype=np.float32)
    frames[np.arange(len(labels)), ["_ABCD".index(label) for label in labels]] = np.log(0.996)
    return frames


def search_of(graph: Graph, labels: str) -> Search:
    search = Search(graph)
    search.push(heard(labels))
    return search


def commands() -> Graph:
    """``ab [c]`` or ``dab``."""
    network = WordNetwork("n")
    middle = network.add_node()
    network.add(network.start, middle, "ab")
    network.add(middle, network.end, "c")
    network.add(middle, network.end)
    network.add(network.start, network.end, "dab")
    return compile_network(network, LEXICON)


@pytest.mark.parametrize(
    ("labels", "state", "silent"),
    [
        ("", "nothing", 0),
        ("___", "nothing", 3),
        ("__A", "incomplete", 0),
        ("__A__", "incomplete", 2),
        ("_AB", "complete", 0),
        ("_AABB___", "complete", 3),
        ("_AB_C", "certain", 0),
        ("_AB_CC__", "certain", 2),
        ("_DAB_", "certain", 1),
    ],
)
def test_a_search_knows_whether_a_sentence_can_end(labels: str, state: State, silent: int) -> None:
    search = search_of(commands(), labels)
    assert (search.state(), search.silent_frames(), search.frames) == (state, silent, len(labels))


def test_a_rival_that_may_go_on_keeps_an_utterance_open() -> None:
    """ "dab" can only end, but it may still be "ab" with something to come."""
    sure = heard("_DAB_")
    unsure = sure.copy()
    unsure[1, [0, 4]] = np.log(0.5)  # D or nothing
    states = []
    for frames in (sure, unsure):
        search = Search(commands())
        search.push(frames)
        states.append(search.state())
    assert states == ["certain", "complete"]


@pytest.mark.parametrize(("rival", "state"), [(0.3, "complete"), (0.09, "certain")])
def test_a_rival_that_is_hardly_likely_does_not(rival: float, state: State) -> None:
    frames = heard("_DAB_")
    frames[1, [0, 4]] = np.log([rival, 0.99 - rival])  # nothing, or D
    search = Search(commands())
    search.push(frames)
    assert search.state() == state


def test_free_text_may_always_go_on() -> None:
    graph = compile_word_loop([("ab", -1.0), ("c", -1.0)], LEXICON)
    assert search_of(graph, "_AB__").state() == "complete"
    assert search_of(graph, "_A_").state() == "incomplete"


def test_words_that_settled_still_count_as_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", 8)
    graph = compile_word_loop([("ab", -1.0), ("c", -1.0)], LEXICON)
    search = search_of(graph, "_AB_C_" * 20 + "____")
    assert (search.state(), search.silent_frames()) == ("complete", 5)


def polite(*, intent: bool, slot: bool) -> Graph:
    """``ab [c]``, where ``c`` fills a slot or says nothing."""
    network = WordNetwork("n")
    begun, middle = network.add_node(), network.add_node()
    network.add(network.start, begun, mark=IntentMark("i") if intent else None)
    network.add(begun, middle, "ab")
    network.add(middle, network.end)
    tail = network.add_node()
    network.add(middle, tail, "c", mark=SlotOpen("s") if slot else None)
    network.add(tail, network.end, mark=SlotClose("s") if slot else None)
    return compile_network(network, LEXICON)


@pytest.mark.parametrize(
    ("intent", "slot", "state"),
    [(True, False, "certain"), (True, True, "complete"), (False, False, "complete")],
)
def test_words_that_change_no_intent_are_not_waited_for(intent: bool, slot: bool, state: State) -> None:
    assert search_of(polite(intent=intent, slot=slot), "_AB_").state() == state
