"""Targets of network outputs made of frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.gmm.targets import output_targets


def _collapsed(tokens: np.ndarray) -> list[int]:
    return [int(t) for i, t in enumerate(tokens) if t and (i == 0 or tokens[i - 1] != t)]


def _positions(lengths: list[tuple[int, int]]) -> np.ndarray:
    """Phones of so many frames, each after so much silence."""
    parts = [[-1] * pause + [i] * n for i, (pause, n) in enumerate(lengths)]
    return np.array([p for part in parts for p in part], dtype=np.int64)


def test_a_phone_is_said_while_it_sounds() -> None:
    positions = _positions([(6, 6), (0, 3), (3, 3)])
    got = output_targets(positions, np.array([5, 7, 9]), subsampling=3, outputs=12, late_outputs=2)
    assert got.tolist() == [0, 0, 0, 0, 5, 5, 7, 0, 9, 0, 0, 0]


def test_a_blank_parts_equal_phones() -> None:
    for lengths, want in (
        ([(0, 6), (0, 6)], [4, 0, 4, 4]),
        ([(0, 3), (0, 9)], [4, 0, 4, 4]),
        ([(0, 3), (0, 6), (0, 6)], [4, 0, 4, 0, 4]),
        ([(0, 3), (0, 3)], [4, 4]),
    ):
        labels = np.full(len(lengths), 4)
        got = output_targets(_positions(lengths), labels, subsampling=3, outputs=len(want), late_outputs=0)
        assert got.tolist() == want


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(3, 12), st.integers(1, 5)), min_size=1, max_size=8),
    st.integers(0, 4),
    st.integers(0, 7),
)
def test_no_phone_of_three_frames_is_lost(phones: list[tuple[int, int, int]], late: int, tail: int) -> None:
    different = [p for i, p in enumerate(phones) if i == 0 or phones[i - 1][2] != p[2]]
    positions = np.append(_positions([(pause, n) for pause, n, _ in different]), [-1] * tail)
    labels = np.array([token for *_, token in different])
    outputs = -(-len(positions) // 3) + late
    got = output_targets(
        positions.astype(np.int64), labels, subsampling=3, outputs=outputs, late_outputs=late
    )
    assert _collapsed(got) == labels.tolist()
    assert not got[:late].any()


def test_outputs_bound_the_targets() -> None:
    positions = _positions([(0, 30)])
    for outputs in (0, 2, 5, 20):
        got = output_targets(positions, np.array([3]), subsampling=3, outputs=outputs, late_outputs=3)
        assert got.tolist() == ([0] * 3 + [3] * 10 + [0] * 7)[:outputs]


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"positions must be in -1\.\.0"):
        output_targets(np.array([1]), np.array([3]), subsampling=3, outputs=1, late_outputs=0)
    with pytest.raises(ValueError, match="subsampling must be positive"):
        output_targets(np.array([0]), np.array([3]), subsampling=0, outputs=1, late_outputs=0)
