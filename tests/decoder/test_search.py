from __future__ import annotations

import random

import numpy as np
import pytest
from all_alignments import alignments
from drawn_networks import networks
from exhaustive_ctc import align, best_sentences
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.decoder.compile import compile_network, compile_networks, compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import IntentMark, Mark, SlotClose, SlotOpen, WordNetwork
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis

NAMES = ["<blk>", "N", "AY", "T", "M", "B"]
TOKENS = Tokens(NAMES)
LEXICON = Lexicon(
    "night N AY T\nknight N AY T\ntime T AY M\nmime M AY M\nb B\nbi B AY\n"
    "tie T AY\ntie T T AY\nmy M AY\nmy M\n",
    TOKENS,
)


def emissions(rng: np.random.Generator, frames: int, *, spread: float = 2.0) -> Float32Array:
    """Random normalised log-probabilities."""
    logits = spread * rng.standard_normal((frames, len(NAMES)))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def spoken(labels: str, *, probability: float = 0.96) -> Float32Array:
    """One frame per name in ``labels`` ("_" is blank) with this probability, the others share the rest."""
    names = labels.split()
    rest = (1 - probability) / (len(NAMES) - 1)
    frames = np.full((len(names), len(NAMES)), np.log(rest), dtype=np.float32)
    for t, name in enumerate(names):
        frames[t, 0 if name == "_" else TOKENS.index[name]] = np.log(probability)
    return frames


def sentence(*words: str, name: str = "n") -> WordNetwork:
    """The network of one sentence."""
    network = WordNetwork(name)
    at = network.start
    for word in words:
        after = network.add_node()
        network.add(at, after, word)
        at = after
    network.add(at, network.end)
    return network


def decode(
    graph: Graph, log_probs: Float32Array, *, beam: float = np.inf, max_active: int = 10**6
) -> Hypothesis:
    search = Search(graph, beam=beam, max_active=max_active)
    search.push(log_probs)
    return search.finish()


def said(hypothesis: Hypothesis) -> tuple[Mark | str, ...]:
    """Words and marks in order."""
    items: list[Mark | str] = []
    for word, marks in hypothesis.path:
        items += marks
        if word is not None:
            items.append(word)
    return tuple(items)


@settings(max_examples=25)
@given(st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_the_reference_is_the_best_of_all_labellings_of_all_frames(frames: int, seed: int) -> None:
    """What both searches are compared with aligns by dynamic programming; this writes every path out."""
    log_probs = emissions(np.random.default_rng(seed), frames)[:, :4]
    every = alignments(log_probs)
    for phones, scores in every.items():
        assert align(log_probs.astype(float).tolist(), list(phones)) == pytest.approx(max(scores), abs=1e-9)


@settings(max_examples=200)
@given(
    st.lists(networks(words=("night", "knight", "time", "b", "bi", "tie", "my")), min_size=1, max_size=2),
    st.integers(0, 6),
    st.integers(0, 2**32 - 1),
)
def test_equals_exhaustive_search(drawn: list[WordNetwork], frames: int, seed: int) -> None:
    log_probs = emissions(np.random.default_rng(seed), frames)
    # Peaks in the phones, or blank wins nearly always.
    log_probs[:, 0] -= 2.0
    score, best = best_sentences(drawn, LEXICON, log_probs.astype(float).tolist(), tolerance=1e-6)
    found = decode(compile_networks(drawn, LEXICON), log_probs)
    assert found.score == pytest.approx(score, abs=1e-6)
    assert (found.network, said(found)) in best


@settings(max_examples=50)
@given(st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_word_loop_equals_exhaustive_search(frames: int, seed: int) -> None:
    words = [("night", -1.0), ("time", -0.5), ("b", -2.0), ("tie", -1.5), ("my", -0.25), ("mime", -1.0)]
    loop = WordNetwork("", nodes=1, start=0, end=0)
    for word, weight in words:
        loop.add(0, 0, word, weight=0.5 * weight - 0.25)
    log_probs = emissions(np.random.default_rng(seed), frames)
    log_probs[:, 0] -= 2.0
    score, best = best_sentences([loop], LEXICON, log_probs.astype(float).tolist(), tolerance=1e-6)
    found = decode(compile_word_loop(words, LEXICON, scale=0.5, word_penalty=-0.25), log_probs)
    assert found.score == pytest.approx(score, abs=1e-6)
    assert ("", said(found)) in best


@settings(max_examples=50)
@given(
    networks(words=("night", "time", "b", "bi", "tie", "my")),
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 30), max_size=4),
    st.sampled_from([(np.inf, 10**6), (4.0, 10**6), (14.0, 7)]),
)
def test_any_chunking_gives_the_same_result(
    network: WordNetwork, seed: int, cuts: list[int], pruning: tuple[float, int]
) -> None:
    log_probs = emissions(np.random.default_rng(seed), 30)
    graph = compile_network(network, LEXICON)
    beam, max_active = pruning
    whole = Search(
        graph, beam=beam, max_active=max_active, token_offsets=[-1.0, *[0.0] * (len(graph.tokens) - 1)]
    )
    whole.push(log_probs)
    parts = Search(
        graph, beam=beam, max_active=max_active, token_offsets=[-1.0, *[0.0] * (len(graph.tokens) - 1)]
    )
    for part in np.split(log_probs, sorted(cuts)):
        parts.push(part)
        parts.best()
    assert parts.best() == whole.best()
    assert parts.finish() == whole.finish()


def test_reset_equals_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", 64)
    graph = compile_word_loop([(word, -1.0) for word in LEXICON.words()], LEXICON)
    log_probs = emissions(np.random.default_rng(1), 300)
    search = Search(graph, beam=6.0)
    search.push(log_probs[:170])
    search.reset()
    search.push(log_probs)
    new = Search(graph, beam=6.0)
    new.push(log_probs)
    assert search.best() == new.best()
    assert search.finish() == new.finish()


def test_searches_share_a_graph_without_disturbing_each_other() -> None:
    graph = compile_network(sentence("night", "time"), LEXICON)
    first, second = Search(graph), Search(graph)
    log_probs = spoken("N AY T _ T AY M")
    for t in range(len(log_probs)):
        first.push(log_probs[t : t + 1])
        second.push(spoken("_"))
    assert first.finish().text == "night time"
    assert second.finish().text == ""


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        (("b", "b"), "B _ B"),
        (("night", "time"), "N AY T T _ T AY M"),
        (("mime", "my"), "M AY M _ M AY"),
        (("b", "bi"), "B B _ _ B AY"),
    ],
)
def test_equal_phones_need_a_blank_between(words: tuple[str, ...], heard: str) -> None:
    graph = compile_network(sentence(*words), LEXICON)
    found = decode(graph, spoken(heard))
    assert (found.text, found.deficit) == (" ".join(words), 0.0)


def test_held_phone_is_two_words_only_over_a_forced_blank() -> None:
    found = decode(compile_network(sentence("b", "b"), LEXICON), spoken("B B B"))
    assert found.deficit == pytest.approx(np.log(0.04 / 5 / 0.96), abs=1e-5)
    assert [(hit.start_frame, hit.end_frame) for hit in found.words] == [(0, 1), (2, 3)]


def test_held_phone_is_one_word_in_a_loop() -> None:
    graph = compile_word_loop([("b", -1.0), ("my", -1.0)], LEXICON)
    assert decode(graph, spoken("B B B B")).text == "b"
    assert decode(graph, spoken("B B _ B B")).text == "b b"
    assert decode(graph, spoken("B M B")).text == "b my b"


@pytest.mark.parametrize("frames", [0, 1, 50])
def test_silence_is_empty(frames: int) -> None:
    log_probs = spoken(" ".join(["_"] * frames)) if frames else np.empty((0, len(NAMES)), np.float32)
    for graph in (
        compile_network(sentence("night", "time"), LEXICON),
        compile_word_loop([("night", 0.0), ("b", 0.0)], LEXICON),
    ):
        search = Search(graph)
        search.push(log_probs)
        assert (search.best().text, search.best().outcome) == ("", "partial")
        assert search.finish().text == ""
        assert search.finish().frames == frames
    assert decode(compile_word_loop([("b", 0.0)], LEXICON), log_probs).outcome == "silence"


def test_half_a_sentence_is_incomplete() -> None:
    search = Search(compile_network(sentence("night", "time"), LEXICON), beam=6.0)
    search.push(spoken("N AY T _ T"))
    assert (search.best().text, search.best().network) == ("night", "")
    found = search.finish()
    assert (found.text, found.outcome, found.words) == ("", "incomplete", ())


def test_times_of_words() -> None:
    graph = compile_network(sentence("night", "b", "time"), LEXICON)
    found = decode(graph, spoken("_ _ N N AY T T _ B B _ _ T AY M M _"))
    assert [(hit.word, hit.start_frame, hit.end_frame) for hit in found.words] == [
        ("night", 2, 7),
        ("b", 8, 10),
        ("time", 12, 16),
    ]
    assert [tuple(NAMES[p] for p in hit.phones) for hit in found.words] == [
        ("N", "AY", "T"),
        ("B",),
        ("T", "AY", "M"),
    ]


def test_pronunciation_that_matched_is_reported() -> None:
    graph = compile_network(sentence("my", "b"), LEXICON)
    assert decode(graph, spoken("M B")).words[0].phones == (TOKENS.index["M"],)
    assert decode(graph, spoken("M AY B")).words[0].phones == (TOKENS.index["M"], TOKENS.index["AY"])


def test_marks_stand_where_the_grammar_left_them() -> None:
    network = WordNetwork("home")
    opened, said_, closed, done = (network.add_node() for _ in range(4))
    network.add(network.start, opened, "b")
    network.add(opened, said_, mark=SlotOpen("when"))
    network.add(said_, closed, "night")
    network.add(closed, done, mark=SlotClose("when", 21))
    network.add(done, network.end, "time", mark=IntentMark("wake"))
    network.add(done, network.end)
    graph = compile_network(network, LEXICON)
    longer = decode(graph, spoken("B N AY T _ T AY M"))
    assert longer.path == (
        ("b", ()),
        ("night", (SlotOpen("when"),)),
        ("time", (SlotClose("when", 21), IntentMark("wake"))),
        (None, ()),
    )
    shorter = decode(graph, spoken("B N AY T"))
    assert shorter.path == (("b", ()), ("night", (SlotOpen("when"),)), (None, (SlotClose("when", 21),)))
    assert shorter.network == longer.network == "home"


def test_homophones_in_their_places() -> None:
    network = WordNetwork("n")
    for first, second in (("night", "time"), ("knight", "b")):
        node = network.add_node()
        network.add(network.start, node, first)
        network.add(node, network.end, second)
    graph = compile_network(network, LEXICON)
    assert decode(graph, spoken("N AY T B")).text == "knight b"
    assert decode(graph, spoken("N AY T _ T AY M")).text == "night time"


def readings(network: WordNetwork, intents: list[str], *, marked: str) -> WordNetwork:
    """Add the sentence "b time tie" once for every intent."""
    for intent in intents:
        begun, one, two, last = (network.add_node() for _ in range(4))
        mark = IntentMark(intent)
        network.add(network.start, begun, mark=None if marked == "end" else mark)
        network.add(begun, one, "b")
        network.add(one, two, "time")
        network.add(two, last, "tie")
        network.add(last, network.end, mark=None if marked == "beginning" else mark)
    return network


@pytest.mark.parametrize("marked", ["beginning", "end", "both"])
@pytest.mark.parametrize("apart", [True, False], ids=["grammars", "sentences"])
def test_first_reading_of_an_ambiguous_sentence_wins(marked: str, apart: bool) -> None:
    intents = [f"i{number}" for number in range(9)]
    groups = [[intent] for intent in intents] if apart else [intents]
    graph = compile_networks(
        [readings(WordNetwork(f"n{number}"), group, marked=marked) for number, group in enumerate(groups)],
        LEXICON,
    )
    found = decode(graph, spoken("_ B T T AY M _ T AY AY _ _", probability=0.7))
    assert (found.text, found.network) == ("b time tie", "n0")
    assert {mark for _, marks in found.path for mark in marks} == {IntentMark("i0")}


@pytest.mark.parametrize("names", [("one", "two"), ("two", "one")])
def test_first_of_two_grammars_with_one_sentence_wins(names: tuple[str, str]) -> None:
    graph = compile_networks([sentence("b", "time", name=name) for name in names], LEXICON)
    assert decode(graph, spoken("B T AY M")).network == names[0]


def test_ties_leave_one_hypothesis_per_state() -> None:
    graph = compile_word_loop([(word, 0.0) for word in LEXICON.words()], LEXICON)
    search = Search(graph, beam=np.inf)
    for _ in range(20):
        search.push(np.full((1, len(NAMES)), -1.0, dtype=np.float32))
        assert search.active <= graph.states


def test_union_names_the_grammar_that_matched() -> None:
    graph = compile_networks([sentence("b", "time", name="one"), sentence("b", "night", name="two")], LEXICON)
    assert decode(graph, spoken("B T AY M")).network == "one"
    found = decode(graph, spoken("B N AY T"))
    assert (found.text, found.network, found.outcome) == ("b night", "two", "complete")


def test_a_dearer_blank_lets_quiet_words_through() -> None:
    graph = compile_word_loop([("b", 0.0)], LEXICON)
    log_probs = np.log(np.array([[0.6, 0.0375, 0.0375, 0.0375, 0.0375, 0.25]] * 3, dtype=np.float32))
    assert decode(graph, log_probs).text == ""
    search = Search(graph, token_offsets=[-2.0, *[0.0] * (len(graph.tokens) - 1)])
    search.push(log_probs)
    assert search.finish().text == "b"


def test_impossible_tokens_are_no_error() -> None:
    log_probs = np.full((3, len(NAMES)), -np.inf, dtype=np.float32)
    log_probs[[0, 1, 2], [TOKENS.index["B"], 0, TOKENS.index["B"]]] = 0.0
    loop = compile_word_loop([("b", -1.0), ("night", 0.0)], LEXICON)
    assert decode(loop, log_probs).text == "b b"
    search = Search(compile_network(sentence("night"), LEXICON))
    search.push(log_probs)
    assert (search.active, search.best().text, search.finish().outcome) == (0, "", "incomplete")


def test_stable_words_are_a_beginning_of_the_result() -> None:
    words = [(word, -1.0) for word in LEXICON.words() if word != "knight"]
    search = Search(compile_word_loop(words, LEXICON), beam=10.0)
    names = ["N AY T", "T AY M", "B", "M AY M", "T AY"]
    rng = random.Random(0)
    heard = spoken(" _ ".join(rng.choice(names) for _ in range(40)), probability=0.9)
    stable: list[tuple[str, ...]] = []
    for t in range(len(heard)):
        search.push(heard[t : t + 1])
        partial = search.best()
        stable.append(tuple(hit.word for hit in partial.words[: partial.stable_words]))
    final = tuple(hit.word for hit in search.finish().words)
    assert len(final) > 30
    assert all(final[: len(words)] == words for words in stable)
    assert len(stable[-1]) > len(final) - 5


def test_memory_stays_bounded_in_an_endless_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [(word, -1.0) for word in LEXICON.words()]
    graph = compile_word_loop(words, LEXICON)
    log_probs = emissions(np.random.default_rng(5), 20_000)
    search = Search(graph, beam=8.0)
    before = search.nbytes
    search.push(log_probs)
    assert search.nbytes == before
    roomy = Search(graph, beam=8.0)
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", 1 << 20)
    roomy.reset()
    roomy.push(log_probs)
    assert roomy.nbytes > before
    assert search.finish() == roomy.finish(), "forgetting must not show"
    assert len(search.finish().words) > 1000


def test_arena_grows_where_paths_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = compile_word_loop([(word, -1.0) for word in LEXICON.words()], LEXICON)
    log_probs = emissions(np.random.default_rng(6), 60)
    whole = Search(graph, beam=np.inf)
    whole.push(log_probs)
    monkeypatch.setattr("edge_asr.decoder.paths.FIRST_RECORDS", 2)
    tight = Search(graph, beam=np.inf)
    for frame in log_probs:
        tight.push(frame[None])
    assert tight.best() == whole.best()
    assert tight.finish() == whole.finish()


@pytest.mark.parametrize("shape", [(3,), (3, 5), (1, 3, 6)])
def test_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    search = Search(compile_network(sentence("b"), LEXICON))
    with pytest.raises(ValueError, match=r"\(frames, 6\)"):
        search.push(np.zeros(shape, dtype=np.float32))


@pytest.mark.parametrize(("beam", "max_active"), [(0.0, 10), (-1.0, 10), (float("nan"), 10), (10.0, 0)])
def test_wrong_pruning_is_refused(beam: float, max_active: int) -> None:
    with pytest.raises(ValueError, match="beam > 0"):
        Search(compile_network(sentence("b"), LEXICON), beam=beam, max_active=max_active)


def test_max_active_is_kept() -> None:
    search = Search(
        compile_word_loop([(w, 0.0) for w in LEXICON.words()], LEXICON), beam=np.inf, max_active=5
    )
    for frame in emissions(np.random.default_rng(2), 50):
        search.push(frame[None])
        assert search.active <= 5


def test_a_beginning_no_likelier_than_silence_is_silence() -> None:
    search = Search(compile_network(sentence("night", "time"), LEXICON), beam=6.0)
    search.push(spoken("_ _ _"))
    assert search.finish().outcome == "silence"


def test_wrong_number_of_token_offsets_is_refused() -> None:
    with pytest.raises(ValueError, match="token offsets"):
        Search(compile_network(sentence("night"), LEXICON), token_offsets=[1.0])
