from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from drawn_networks import networks
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.compile import compile_network, compile_networks, compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import IntentMark, SlotClose, SlotOpen, WordNetwork
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import BundleError, GrammarError

TOKENS = Tokens(["<blk>", "A", "B", "C"])
LEXICON = Lexicon("a A\nab A B\nabc A B C\nbc B C\nbee B\nbe B\nbb B B\n", TOKENS)


def arcs_of(graph: Graph) -> set[tuple[int, int]]:
    """Both ends of every arc."""
    sources = np.repeat(np.arange(graph.states), np.diff(graph.offsets))
    return set(zip(sources.tolist(), graph.targets.tolist(), strict=True))


@given(networks(words=("a", "ab", "abc", "bc", "bb", "be", "bee")))
def test_graph_is_a_ctc_topology(network: WordNetwork) -> None:
    graph = compile_network(network, LEXICON)
    arcs = arcs_of(graph)
    assert len(arcs) == graph.arcs, "no two arcs share both ends"
    assert graph.labels[0] == 0
    for source, target in arcs:
        assert source != target
        assert graph.labels[source] != graph.labels[target], "a repeated label needs a blank between"
    # Every way over a blank between different phones may also leave the blank out.
    into_blank = [(s, t) for s, t in arcs if graph.labels[t] == 0]
    for phone, blank in into_blank:
        for target in graph.targets[graph.offsets[blank] : graph.offsets[blank + 1]].tolist():
            assert graph.labels[target] == graph.labels[phone] or (phone, target) in arcs
    assert (graph.weights[graph.labels[graph.targets] == 0] == 0).all()
    assert ((graph.state_endings >= 0) == (graph.final_weights > -np.inf)).all()


def test_word_loop_by_hand() -> None:
    """Words a (A), ab (A B), be (B): tree node k after A; exits E(A), E(B)."""
    graph = compile_word_loop([("a", -1.0), ("ab", -2.0), ("be", -3.0)], LEXICON, word_penalty=-0.5)
    root, blank_k, phone_k, exit_a, exit_b = range(5)
    assert graph.labels.tolist() == [0, 0, 1, 1, 2]
    assert arcs_of(graph) == {
        (root, exit_a),
        (root, phone_k),
        (root, exit_b),
        (phone_k, blank_k),
        (phone_k, exit_b),
        (blank_k, exit_b),
        (exit_a, root),
        (exit_b, root),
        (exit_a, exit_b),
        (exit_b, exit_a),
        (exit_b, phone_k),
    }
    said = {
        (source, target): (graph.outputs[output - 1].word if output else "", weight)
        for source in range(5)
        for target, output, weight in zip(
            graph.targets[graph.offsets[source] : graph.offsets[source + 1]].tolist(),
            graph.arc_outputs[graph.offsets[source] : graph.offsets[source + 1]].tolist(),
            graph.weights[graph.offsets[source] : graph.offsets[source + 1]].tolist(),
            strict=True,
        )
    }
    assert said[root, exit_a] == ("a", -1.5)
    assert said[root, phone_k] == ("", -2.5), "the weight of 'ab' is spent on entry"
    assert said[blank_k, exit_b] == said[phone_k, exit_b] == ("ab", 0.0)
    assert said[root, exit_b] == said[exit_a, exit_b] == ("be", -3.5)
    assert graph.final_weights.tolist() == [0, -np.inf, -np.inf, 0, 0]


def test_words_that_share_a_beginning_spend_the_better_weight_first() -> None:
    graph = compile_word_loop([("ab", -1.0), ("abc", -3.0)], LEXICON)
    first, *rest = sorted(set(graph.weights[graph.offsets[0] : graph.offsets[1]].tolist()))
    assert (first, rest) == (-1.0, [])
    assert set(graph.weights.tolist()) == {0.0, -1.0, -2.0}


def test_exits_bound_the_arcs_of_a_loop() -> None:
    """Words x words arcs would be 2500; all pairs of phones are 9."""
    lexicon = Lexicon(
        "".join(f"{''.join(p)} {' '.join(p)}\n" for p in itertools.product("ABC", repeat=4)), TOKENS
    )
    graph = compile_word_loop([(word, 0.0) for word in lexicon.words()], lexicon)
    between_words = [(s, t) for s, t in arcs_of(graph) if graph.final_weights[s] == 0 and s != 0 and t != 0]
    assert len(between_words) == 3 * 2


def test_homophones_with_one_target_keep_the_better_then_the_first() -> None:
    loop = compile_word_loop([("be", -2.0), ("bee", -1.0)], LEXICON)
    assert {loop.outputs[o - 1].word for o in loop.arc_outputs.tolist() if o} == {"bee"}
    tied = compile_word_loop([("be", -1.0), ("bee", -1.0)], LEXICON)
    assert {tied.outputs[o - 1].word for o in tied.arc_outputs.tolist() if o} == {"be"}


def test_unknown_words_are_all_listed() -> None:
    network = WordNetwork("home.jsgf")
    for line, word in ((2, "ab"), (7, "foo"), (5, "bar"), (9, "foo")):
        network.add(network.start, network.end, word, line=line)
    with pytest.raises(GrammarError) as caught:
        compile_network(network, LEXICON)
    assert caught.value.message == "unknown words 'foo' (line 7), 'bar' (line 5)"
    assert caught.value.source == "home.jsgf"
    assert caught.value.line == 5


def test_one_unknown_word() -> None:
    network = WordNetwork("home.jsgf")
    network.add(network.start, network.end, "foo", line=3)
    with pytest.raises(GrammarError, match=r"^home\.jsgf:3: unknown word 'foo'$"):
        compile_network(network, LEXICON)


def test_word_loop_lists_unknown_words_too() -> None:
    with pytest.raises(GrammarError, match=r"^free: unknown words 'x', 'y'$"):
        compile_word_loop([("a", 0.0), ("x", 0.0), ("y", 0.0)], LEXICON, name="free")


@given(st.lists(networks(words=("a", "ab", "bc", "bb")), min_size=1, max_size=2))
def test_saved_graph_is_the_same(tmp_path_factory: pytest.TempPathFactory, drawn: list[WordNetwork]) -> None:
    path = tmp_path_factory.mktemp("graph") / "graph.npz"
    graph = compile_networks(drawn, LEXICON)
    graph.save(path)
    loaded = Graph.load(path)
    for name in ("offsets", "targets", "weights", "arc_outputs", "labels", "final_weights", "state_endings"):
        kept, read = getattr(graph, name), getattr(loaded, name)
        assert kept.dtype == read.dtype
        np.testing.assert_array_equal(kept, read)
    assert (loaded.outputs, loaded.endings, loaded.tokens) == (graph.outputs, graph.endings, graph.tokens)


def test_values_of_marks_keep_their_type(tmp_path: Path) -> None:
    network = WordNetwork("n")
    node = network.add_node()
    network.add(network.start, node, "a", mark=SlotOpen("level"))
    after = network.add_node()
    network.add(node, after, mark=SlotClose("level", 50))
    network.add(after, network.end, "a", mark=IntentMark("set"))
    compile_network(network, LEXICON).save(tmp_path / "graph.npz")
    loaded = Graph.load(tmp_path / "graph.npz")
    assert [output.before for output in loaded.outputs] == [(SlotOpen("level"),), (IntentMark("set"),)]
    assert loaded.outputs[0].after == (SlotClose("level", 50),)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", b"text", b"\x93NUMPY\x01"])
def test_damaged_graph_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "loop.npz"
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"loop\.npz"):
        Graph.load(path)


def test_converter_of_a_slot_is_saved(tmp_path: Path) -> None:
    network = WordNetwork("n")
    node = network.add_node()
    network.add(network.start, node, "a", mark=SlotOpen("level"))
    network.add(node, network.end, mark=SlotClose("level", convert="number"))
    compile_network(network, LEXICON).save(tmp_path / "graph.npz")
    marks = [m for o in Graph.load(tmp_path / "graph.npz").outputs for m in o.after]
    assert marks == [SlotClose("level", convert="number")]


def test_optional_words_that_nobody_can_say_are_left_out() -> None:
    network = WordNetwork("n")
    for word, optional in (("a", False), ("foo", True), ("bc", True)):
        network.add(network.start, network.end, word, optional=optional)
    graph = compile_network(network, LEXICON)
    assert [output.word for output in graph.outputs] == ["a", "bc"]
    network.add(network.start, network.end, "foo", line=4)
    with pytest.raises(GrammarError, match=r"^n:4: unknown word 'foo'$"):
        compile_network(network, LEXICON)


def test_grammar_of_optional_words_alone_may_have_no_sentence() -> None:
    network = WordNetwork("n")
    network.add(network.start, network.end, "foo", optional=True)
    with pytest.raises(GrammarError, match="no complete sentence"):
        compile_network(network, LEXICON)
