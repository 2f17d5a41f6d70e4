"""Mixtures against densities written out; halving, sharing out, leaving out."""

from __future__ import annotations

import numpy as np
import pytest

from export.gmm.mixtures import Mixtures, shared_out


def _mixtures(counts: list[int], seed: int = 0) -> Mixtures:
    rng = np.random.default_rng(seed)
    weights = np.concatenate([rng.dirichlet(np.ones(n)) for n in counts])
    total = sum(counts)
    return Mixtures(
        weights.astype(np.float32),
        rng.normal(size=(total, 3)).astype(np.float32),
        rng.uniform(0.3, 2.0, size=(total, 3)).astype(np.float32),
        np.concatenate([[0], np.cumsum(counts)]),
    )


def _density(m: Mixtures, x: np.ndarray, distribution: int) -> float:
    total = 0.0
    for k in range(m.offsets[distribution], m.offsets[distribution + 1]):
        v = m.variances[k].astype(float)
        total += m.weights[k] * np.prod(np.exp(-((x - m.means[k]) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v))
    return float(np.log(total))


def test_log_likelihoods_are_the_densities() -> None:
    m = _mixtures([1, 4, 2, 7])
    x = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    chosen = np.array([3, 0, 1])
    got = m.log_likelihoods(x, chosen)
    want = [[_density(m, frame, d) for frame in x] for d in chosen]
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(m.log_likelihoods(x)[chosen], got, rtol=1e-6)
    shares = m.responsibilities(x, 1)
    assert shares.shape == (4, 6)
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-6)


def test_far_frames_have_a_likelihood() -> None:
    """No sum underflows to nothing, however unlikely a frame is."""
    far = _mixtures([2, 3]).log_likelihoods(np.full((1, 3), 60.0, dtype=np.float32))
    assert np.isfinite(far).all() and (far < -500).all()


def test_growing_halves_the_heaviest() -> None:
    m = _mixtures([1, 2])
    grown = m.grown(np.array([3, 2]))
    assert grown.counts.tolist() == [3, 2] and grown.means.shape == (5, 3)
    np.testing.assert_allclose(np.add.reduceat(grown.weights, grown.offsets[:-1]), 1, atol=1e-6)
    np.testing.assert_array_equal(grown.means[3:], m.means[1:])
    np.testing.assert_allclose((grown.weights[:3, None] * grown.means[:3]).sum(axis=0), m.means[0], atol=1e-6)
    assert len(np.unique(grown.means[:3], axis=0)) == 3


def test_leaving_out_keeps_one_of_each() -> None:
    m = _mixtures([3, 2, 1])
    kept = m.kept(np.array([False, False, False, True, True, False]))
    assert kept.counts.tolist() == [1, 2, 1]
    np.testing.assert_allclose(np.add.reduceat(kept.weights, kept.offsets[:-1]), 1, atol=1e-6)
    np.testing.assert_array_equal(kept.means[0], m.means[int(m.weights[:3].argmax())])


@pytest.mark.parametrize("total", [3, 10, 25])
def test_gaussians_go_where_the_frames_are(total: int) -> None:
    frames = np.array([1000.0, 100.0, 30.0])
    counts = shared_out(frames, np.ones(3, dtype=np.int64), total, power=0.5, min_frames=20)
    assert counts.sum() == total
    assert counts[0] >= counts[1] >= counts[2] == 1, "the last one has too few frames for two"
