from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.arena import NONE, Arena


def grown(previous: Sequence[int], capacity: int = 64) -> Arena:
    """An arena whose record i follows ``previous[i]``; the other columns tell i apart."""
    arena = Arena(capacity)
    for i, before in enumerate(previous):
        numbers = arena.append(
            np.array([before], np.int32),
            np.array([10 + i]),
            np.array([60.0 + i]),
            20 + i,
            np.array([30.0 + i]),
            np.array([40 + i], np.int32),
            np.array([50.0 + i]),
        )
        assert numbers.tolist() == [i]
    return arena


def rows(arena: Arena, tip: int) -> list[tuple[int, float, int, float, int, float]]:
    """What the chain to ``tip`` says."""
    return [
        (
            int(arena.arcs[r]),
            float(arena.weights[r]),
            int(arena.frames[r]),
            float(arena.scores[r]),
            int(arena.held_until[r]),
            float(arena.held_scores[r]),
        )
        for r in arena.chain(tip)
    ]


def test_passing_tells_who_descends_from_a_record() -> None:
    arena = grown([NONE, 0, 0, 1, 2, 4])
    tips = np.array([NONE, 0, 1, 2, 3, 4, 5], np.int32)
    assert arena.passing(tips, 2).tolist() == [False, False, False, True, False, True, True]
    assert arena.passing(tips, 0).tolist() == [False] + [True] * 6


@pytest.mark.parametrize(
    ("previous", "tips", "shared"),
    [
        ([NONE, 0, 1, 1], [2, 3], [0, 1]),
        ([NONE, 0, 1], [2, 2], [0, 1, 2]),
        ([NONE, 0, 1], [0, 2], [0]),  # a tip in the middle of the chain
        ([NONE, NONE], [0, 1], []),
        ([NONE, 0], [1, NONE], []),
        ([NONE, 0, 0, 1], [3], [0, 1, 3]),  # record 2 is dead
        ([], [NONE], []),
        ([NONE], [], []),
    ],
)
def test_shared_chain(previous: list[int], tips: list[int], shared: list[int]) -> None:
    assert grown(previous).shared_chain(np.array(tips, np.int32)).tolist() == shared


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Records' predecessors, and tips."""
    size = draw(st.integers(0, 20))
    previous = [draw(st.integers(max(NONE, i - 3), i - 1)) for i in range(size)]
    return previous, draw(st.lists(st.integers(NONE, size - 1), min_size=1, max_size=6))


@given(forests())
def test_shared_chain_is_the_common_beginning(drawn: tuple[list[int], list[int]]) -> None:
    previous, tips = drawn
    arena = grown(previous)
    chains = [arena.chain(tip).tolist() for tip in tips]
    common = []
    for step in zip(*chains, strict=False):
        if len(set(step)) > 1:
            break
        common.append(step[0])
    assert arena.shared_chain(np.array(tips, np.int32)).tolist() == common


@given(forests(), st.sampled_from([0, 1, 100]))
def test_compaction_keeps_every_chain_and_nothing_else(drawn: tuple[list[int], list[int]], room: int) -> None:
    previous, tips = drawn
    arena = grown(previous, capacity=max(1, len(previous)))
    chains = [rows(arena, tip) for tip in tips]
    needed = {record for tip in tips for record in arena.chain(tip).tolist()}
    after = arena.compact(np.array(tips, np.int32), root=NONE, room=room)
    assert [rows(arena, tip) for tip in after.tolist()] == chains
    assert arena.size == len(needed)
    assert arena.capacity - arena.size >= room


def test_compaction_cuts_at_the_root() -> None:
    arena = grown([NONE, 0, 1, 2, 2])
    kept = [rows(arena, tip)[2:] for tip in (3, 4)]
    after = arena.compact(np.array([3, 4], np.int32), root=2, room=1)
    assert [rows(arena, tip) for tip in after.tolist()] == kept
    assert arena.size == 3
