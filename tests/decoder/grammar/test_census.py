from __future__ import annotations

import math
from collections import Counter
from itertools import islice

import pytest

from edge_asr.decoder.grammar.census import (
    count_sentences,
    enumerate_paths,
    enumerate_sentences,
    random_paths,
    random_sentences,
    sentence,
)
from edge_asr.decoder.network import IntentMark, SlotClose, SlotOpen, WordNetwork


def ladder(rungs: int) -> WordNetwork:
    """Two words at each of ``rungs`` places, and a dead end."""
    network = WordNetwork("ladder")
    node = network.start
    for i in range(rungs):
        after = network.end if i == rungs - 1 else network.add_node()
        network.add(node, after, f"a{i}")
        network.add(node, after, f"b{i}")
        node = after
    network.add(network.start, network.add_node(), "dead")
    return network


def looped() -> WordNetwork:
    network = WordNetwork("loop")
    middle = network.add_node()
    network.add(network.start, middle, "go", mark=IntentMark("Go"))
    network.add(middle, middle, "on")
    network.add(middle, network.end)
    return network


def test_count_is_exact_however_large() -> None:
    assert count_sentences(ladder(1)) == 2
    assert count_sentences(ladder(300)) == 2**300


def test_count_of_a_loop_is_infinite() -> None:
    assert count_sentences(looped()) == math.inf


def test_loop_that_leads_nowhere_does_not_count() -> None:
    network = ladder(2)
    nowhere = network.add_node()
    network.add(network.start, nowhere, "x")
    network.add(nowhere, nowhere, "y")
    assert count_sentences(network) == 4


def test_nothing_is_accepted() -> None:
    network = WordNetwork("none")
    assert count_sentences(network) == 0
    assert enumerate_sentences(network, 9) == []
    with pytest.raises(ValueError, match="accepts no sentence"):
        random_sentences(network, 1, seed=0)


def test_enumeration_is_complete_and_shortest_first() -> None:
    assert enumerate_sentences(ladder(2), 9) == ["a0 a1", "a0 b1", "b0 a1", "b0 b1"]
    assert enumerate_sentences(looped(), 3) == ["go", "go on", "go on on"]
    assert enumerate_sentences(ladder(60), 2) == [
        " ".join(f"a{i}" for i in range(60)),
        " ".join([*(f"a{i}" for i in range(59)), "b59"]),
    ]


def test_two_ways_to_say_the_same_count_twice_and_are_listed_once() -> None:
    network = WordNetwork("twice")
    network.add(network.start, network.end, "x")
    network.add(network.start, network.end, "x", mark=IntentMark("X"))
    assert count_sentences(network) == 2
    assert enumerate_sentences(network, 9) == ["x"]
    assert len(list(enumerate_paths(network))) == 2


def test_paths_bear_the_marks_before_their_word() -> None:
    network = WordNetwork("marks")
    a, b = network.add_node(), network.add_node()
    network.add(network.start, a, mark=SlotOpen("s"))
    network.add(a, b, "x", mark=IntentMark("I"))
    network.add(b, network.end, mark=SlotClose("s"))
    (path,) = enumerate_paths(network)
    assert path == [("x", (SlotOpen("s"), IntentMark("I"))), (None, (SlotClose("s"),))]
    assert random_paths(network, 1, seed=0) == [path]


def test_random_sentences_repeat_with_their_seed() -> None:
    assert random_sentences(ladder(9), 20, seed=1) == random_sentences(ladder(9), 20, seed=1)
    assert random_sentences(ladder(9), 20, seed=1) != random_sentences(ladder(9), 20, seed=2)


def test_every_sentence_is_drawn_alike_often() -> None:
    """One way begins with "x", eight with "y": of 9,000 draws about 1,000 are "x"."""
    network = ladder(3)
    start = network.add_node()
    network.add(start, network.start, "y")
    network.add(start, network.end, "x")
    network.start = start
    drawn = Counter(random_sentences(network, 9000, seed=3))
    assert len(drawn) == 9
    assert all(800 < count < 1200 for count in drawn.values())


def test_loops_can_be_drawn_from() -> None:
    drawn = set(random_sentences(looped(), 200, seed=0))
    assert {"go", "go on", "go on on"} <= drawn
    assert all(sentence(path).startswith("go") for path in islice(enumerate_paths(looped()), 5))


def test_by_turns_a_small_rule_comes_as_often_as_a_large_one() -> None:
    network = ladder(4)
    network.add(network.start, network.end, "stop")
    assert random_sentences(network, 600, 1).count("stop") < 80, "one of seventeen sentences"
    assert random_sentences(network, 600, 1, by_turns=True).count("stop") > 140, "one of three first words"
