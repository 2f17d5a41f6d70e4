"""Deltas against the formula written out, and against scipy's."""

from __future__ import annotations

import numpy as np
import pytest

from export.gmm.deltas import deltas, observations


@pytest.mark.parametrize("frames", [1, 2, 5, 40])
def test_deltas_are_the_formula(frames: int) -> None:
    x = np.random.default_rng(frames).normal(size=(frames, 3))
    want = np.zeros_like(x)
    for t in range(frames):
        for k in (1, 2):
            want[t] += k * (x[min(t + k, frames - 1)] - x[max(t - k, 0)]) / 10
    np.testing.assert_allclose(deltas(x), want, atol=1e-12)


def test_deltas_are_slopes_of_a_regression() -> None:
    signal = pytest.importorskip("scipy.signal", reason="scipy is in the extra train")
    x = np.random.default_rng(0).normal(size=(50, 4))
    want = signal.savgol_filter(x, window_length=5, polyorder=1, deriv=1, axis=0, mode="nearest")
    np.testing.assert_allclose(deltas(x), want, atol=1e-12)


def test_observations_use_the_first_coefficients() -> None:
    x = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float16)
    seen = observations(x, 3)
    assert seen.shape == (20, 9) and seen.dtype == np.float32
    np.testing.assert_array_equal(seen[:, :3], x[:, :3])
    np.testing.assert_allclose(seen[:, 6:], deltas(deltas(x[:, :3].astype(np.float64))), atol=1e-5)
