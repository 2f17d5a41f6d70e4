from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn_networks import networks
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.decoder.compile import compile_network, compile_networks, compile_open_words
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.join import join
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import (
    ANYTHING,
    IntentMark,
    Mark,
    Placeholder,
    SlotClose,
    SlotOpen,
    WordNetwork,
)
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis
from edge_asr.errors import GrammarError

TOKENS = Tokens(["<blk>", "N", "AY", "T", "M", "B"])
LEXICON = Lexicon(
    "night N AY T\nknight N AY T\ntime T AY M\nb B\nbi B AY\ntie T AY\ntie T T AY\nmy M AY\nmy M\n", TOKENS
)
WORDS = ("night", "knight", "time", "b", "bi", "tie", "my")
CONTACT = Placeholder("contact", "who")
SONG = Placeholder("song")
OPEN_WORDS = [("b", -0.5), ("tie", -1.0), ("my", -0.25), ("knight", -1.5)]


@st.composite
def name_lists(draw: st.DrawFn) -> WordNetwork:
    """Names of one or two words, each with a mark of its own behind it."""
    network = WordNetwork("names")
    for i in range(draw(st.integers(1, 3))):
        words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2))
        node = network.start
        for word in words:
            after = network.add_node()
            network.add(node, after, word)
            node = after
        network.add(node, network.end, mark=SlotClose("who", i))
    return network


def open_words() -> WordNetwork:
    """What ``compile_open_words`` stands for, as a network."""
    network = WordNetwork("", nodes=3)
    for word, weight in OPEN_WORDS:
        network.add(0, 2, word, weight=weight - 0.25)
        network.add(2, 2, word, weight=weight - 0.25)
    network.add(2, 1)
    return network


def emissions(seed: int, frames: int) -> Float32Array:
    """Random log-probabilities with peaks in the phones, or blank would win nearly always."""
    logits = 2.0 * np.random.default_rng(seed).standard_normal((frames, len(TOKENS.names)))
    log_probs = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    log_probs[:, 0] -= 2.0
    return log_probs


def decode(graph: Graph, log_probs: Float32Array) -> Hypothesis:
    search = Search(graph, beam=np.inf, max_active=10**6)
    search.push(log_probs)
    return search.finish()


def said(hypothesis: Hypothesis) -> tuple[Mark | str, ...]:
    """Words and marks in order."""
    items: list[Mark | str] = []
    for word, marks in hypothesis.path:
        items += [*marks, word] if word is not None else marks
    return tuple(items)


def accepts(network: WordNetwork, items: tuple[Mark | str, ...]) -> bool:
    """Is there a way from start to end with exactly these words and marks?"""
    waiting, seen = [(network.start, 0)], {(network.start, 0)}
    while waiting:
        node, done = waiting.pop()
        if node == network.end and done == len(items):
            return True
        for arc in network.arcs:
            said = tuple(item for item in (arc.mark, arc.word) if item is not None)
            after = (arc.target, done + len(said))
            if arc.source == node and items[done : after[1]] == said and after not in seen:
                seen.add(after)
                waiting.append(after)
    return False


def assert_equal_search(graph: Graph, whole: list[WordNetwork], log_probs: Float32Array) -> None:
    """The best path scores as the one of a graph compiled from scratch, and is one of its grammars'.

    That a compiled graph gives what an exhaustive search gives is shown in test_search.py.
    """
    found, scratch = decode(graph, log_probs), decode(compile_networks(whole, LEXICON), log_probs)
    assert found.score == pytest.approx(scratch.score, abs=1e-6)
    assert found.outcome == scratch.outcome
    if found.outcome == "complete":
        assert any(network.name == found.network and accepts(network, said(found)) for network in whole)


drawn_grammars = networks(words=("night", "b", "my", CONTACT, CONTACT, SONG))
open_grammars = networks(words=("night", "my", ANYTHING, ANYTHING))
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=60)
@given(
    st.lists(drawn_grammars, min_size=1, max_size=2), name_lists(), name_lists(), st.integers(0, 12), seeds
)
def test_joined_equals_compiled_from_scratch(
    drawn: list[WordNetwork], contacts: WordNetwork, songs: WordNetwork, frames: int, seed: int
) -> None:
    blocks = {CONTACT: compile_network(contacts, LEXICON), SONG: compile_network(songs, LEXICON)}
    graph = join(compile_networks(drawn, LEXICON), blocks)
    assert graph.holes == ()
    whole = [network.filled({CONTACT: contacts, SONG: songs}) for network in drawn]
    assert_equal_search(graph, whole, emissions(seed, frames))


@settings(max_examples=60)
@given(drawn_grammars, name_lists(), name_lists(), st.integers(0, 12), seeds)
def test_joining_one_list_after_the_other_changes_nothing(
    drawn: WordNetwork, contacts: WordNetwork, songs: WordNetwork, frames: int, seed: int
) -> None:
    loaded = compile_network(drawn, LEXICON)
    first = join(loaded, {SONG: compile_network(songs, LEXICON)})
    assert {hole.placeholder for hole in first.holes} <= {CONTACT}
    graph = join(first, {CONTACT: compile_network(contacts, LEXICON)})
    whole = [drawn.filled({CONTACT: contacts, SONG: songs})]
    assert_equal_search(graph, whole, emissions(seed, frames))


@settings(max_examples=60)
@given(open_grammars, st.integers(0, 12), seeds)
def test_open_slot_equals_a_loop_of_its_words(drawn: WordNetwork, frames: int, seed: int) -> None:
    graph = compile_network(drawn, LEXICON)
    graph = join(graph, {ANYTHING: compile_open_words(OPEN_WORDS, LEXICON, word_penalty=-0.25)})
    assert_equal_search(graph, [drawn.filled({ANYTHING: open_words()})], emissions(seed, frames))


@settings(max_examples=60)
@given(networks(words=("night", "my", CONTACT, ANYTHING)), name_lists(), st.integers(0, 12), seeds)
def test_list_joins_a_grammar_with_open_slots(
    drawn: WordNetwork, contacts: WordNetwork, frames: int, seed: int
) -> None:
    opened = join(
        compile_network(drawn, LEXICON),
        {ANYTHING: compile_open_words(OPEN_WORDS, LEXICON, word_penalty=-0.25)},
    )
    graph = join(opened, {CONTACT: compile_network(contacts, LEXICON)})
    whole = [drawn.filled({ANYTHING: open_words(), CONTACT: contacts})]
    assert_equal_search(graph, whole, emissions(seed, frames))


@settings(max_examples=60)
@given(networks(words=("night", "b", CONTACT, ANYTHING)), name_lists())
def test_joined_graph_is_a_ctc_topology(drawn: WordNetwork, contacts: WordNetwork) -> None:
    graph = join(
        compile_network(drawn, LEXICON),
        {
            CONTACT: compile_network(contacts, LEXICON),
            ANYTHING: compile_open_words(OPEN_WORDS, LEXICON),
        },
    )
    sources = np.repeat(np.arange(graph.states), np.diff(graph.offsets))
    arcs = set(zip(sources.tolist(), graph.targets.tolist(), strict=True))
    assert len(arcs) == graph.arcs, "no two arcs share both ends"
    assert all(graph.labels[s] != graph.labels[t] for s, t in arcs), "a repeated label needs a blank between"
    assert (graph.weights[graph.labels[graph.targets] == 0] == 0).all()
    assert ((graph.state_endings >= 0) == (graph.final_weights > -np.inf)).all()
    assert graph.arc_outputs.max(initial=0) <= len(graph.outputs)
    for phone, blank in [(s, t) for s, t in arcs if graph.labels[t] == 0]:
        for target in graph.targets[graph.offsets[blank] : graph.offsets[blank + 1]].tolist():
            assert graph.labels[target] == graph.labels[phone] or (phone, target) in arcs


def spoken(labels: str) -> Float32Array:
    """One clear frame per name in ``labels``; "_" is blank."""
    names = labels.split()
    frames = np.full((len(names), len(TOKENS.names)), np.log(0.01), dtype=np.float32)
    for t, name in enumerate(names):
        frames[t, 0 if name == "_" else TOKENS.index[name]] = np.log(0.95)
    return frames


def call() -> WordNetwork:
    """``my {contact:who}``"""
    network = WordNetwork("call")
    first, opened = network.add_node(), network.add_node()
    network.add(network.start, first, "my", mark=IntentMark("Call"))
    network.add(first, opened, mark=SlotOpen("who"))
    network.add(opened, network.end, CONTACT)
    return network


def contact(*names: str) -> WordNetwork:
    network = WordNetwork("contact")
    for name in names:
        after = network.add_node()
        network.add(network.start, after, name)
        network.add(after, network.end, mark=SlotClose("who", name.upper()))
    return network


def test_hole_is_mute_until_a_list_joins() -> None:
    loaded = compile_network(call(), LEXICON)
    assert [hole.placeholder for hole in loaded.holes] == [CONTACT]
    heard = spoken("M AY _ T AY M")
    assert decode(loaded, heard).outcome != "complete"
    joined = join(loaded, {CONTACT: compile_network(contact("time", "night"), LEXICON)})
    found = decode(joined, heard)
    assert (found.text, found.network) == ("my time", "call")
    assert said(found) == (IntentMark("Call"), "my", SlotOpen("who"), "time", SlotClose("who", "TIME"))
    assert decode(loaded, heard).outcome != "complete", "the loaded graph is as it was"


def test_another_list_may_join_the_same_loaded_graph() -> None:
    loaded = compile_network(call(), LEXICON)
    first = join(loaded, {CONTACT: compile_network(contact("night"), LEXICON)})
    second = join(loaded, {CONTACT: compile_network(contact("b"), LEXICON)})
    assert decode(first, spoken("M AY _ N AY T")).text == "my night"
    assert decode(second, spoken("M AY _ B")).text == "my b"
    assert decode(second, spoken("M AY _ N AY T")).text != "my night"


def test_holes_with_one_target_share_a_copy() -> None:
    network = WordNetwork("n")
    for word in ("my", "night", "time"):
        after = network.add_node()
        network.add(network.start, after, word)
        network.add(after, network.end, SONG)
    network.add(network.start, network.end, "b")
    block = compile_network(contact("tie", "bi", "time"), LEXICON)
    graph = compile_network(network, LEXICON)
    joined = join(graph, {SONG: block})
    assert joined.states < graph.states + 2 * block.states
    assert decode(joined, spoken("T AY M _ B AY")).text == "time bi"


def test_graph_with_holes_can_be_saved(tmp_path: Path) -> None:
    loaded = compile_network(call(), LEXICON)
    loaded.save(tmp_path / "graph.npz")
    read = Graph.load(tmp_path / "graph.npz")
    assert read.holes == loaded.holes
    assert read.holes[0].placeholder.list == "contact"
    joined = join(read, {CONTACT: compile_network(contact("time"), LEXICON)})
    assert decode(joined, spoken("M AY _ T AY M")).text == "my time"


def test_joined_graph_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = compile_network(call(), LEXICON)
    monkeypatch.setattr("edge_asr.decoder.join.MAX_ARCS", loaded.arcs + 10)
    with pytest.raises(GrammarError, match=r"^call: 1 places .* fewer open words"):
        join(loaded, {CONTACT: compile_network(contact("time", "night", "tie"), LEXICON)})


def test_block_that_cannot_join_is_refused() -> None:
    loaded = compile_network(call(), LEXICON)
    loop = WordNetwork("loop")
    loop.add(0, 0, "b")
    loop.add(0, 1, "b")
    with pytest.raises(ValueError, match="never comes back"):
        join(loaded, {CONTACT: compile_network(loop, LEXICON)})
    grows = WordNetwork("grows", nodes=3)
    grows.add(0, 2, "b")
    grows.add(2, 2, "time")
    grows.add(2, 1)
    with pytest.raises(ValueError, match="any word may follow that may begin it"):
        join(loaded, {CONTACT: compile_network(grows, LEXICON)})
    other = Lexicon("b B\n", Tokens(["<blk>", "B"]))
    with pytest.raises(ValueError, match="tokens"):
        join(loaded, {CONTACT: compile_network(contact("b"), other)})
