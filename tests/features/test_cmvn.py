"""Running mean normalisation."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.config import CmvnConfig
from edge_asr.features.cmvn import Cmvn, cmvn

CONFIG = CmvnConfig(mean=(1.0, -2.0), scale=(0.5, 2.0), prior_frames=10, window_frames=50)


def features(frames: int) -> np.ndarray:
    return np.random.default_rng(3).normal(5.0, 2.0, (frames, 2)).astype(np.float32)


@given(cuts=st.lists(st.integers(0, 120), max_size=6))
def test_streaming_equals_whole_bit_for_bit(cuts: list[int]) -> None:
    x = features(120)
    stage = Cmvn(CONFIG)
    edges = [0, *sorted(cuts), len(x)]
    parts = [stage.push(x[a:b]) for a, b in itertools.pairwise(edges)]
    assert np.array_equal(np.concatenate([*parts, stage.flush()]), cmvn(x, CONFIG))


def test_first_frame_is_the_prior_with_one_more_observation() -> None:
    x = np.array([[12.0, -2.0]], dtype=np.float32)
    # mean = (10 * 1 + 12) / 11 = 2 is for ten prior frames; 1 + (12 - 1) / 11 = 2
    np.testing.assert_allclose(cmvn(x, CONFIG), [[(12 - 2) * 0.5, 0.0]], atol=1e-6)


def test_a_constant_offset_is_forgotten() -> None:
    """What a microphone adds to the cepstra is gone after a few windows."""
    x = np.full((600, 2), 40.0, dtype=np.float32)
    assert np.abs(cmvn(x, CONFIG)[-1]).max() < 1e-2


def test_evidence_is_bounded_by_the_window() -> None:
    """After a long past, a change is followed as fast as after a window."""
    x = np.concatenate([np.zeros((5000, 2)), np.ones((50, 2))]).astype(np.float32)
    remaining = cmvn(x, CONFIG)[-1, 0] / 0.5
    np.testing.assert_allclose(remaining, (1 - 1 / 50) ** 50, rtol=1e-3)


def test_reset_equals_new() -> None:
    x = features(30)
    stage = Cmvn(CONFIG)
    stage.push(x + 7)
    stage.reset()
    assert np.array_equal(stage.push(x), Cmvn(CONFIG).push(x))
