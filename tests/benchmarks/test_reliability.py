"""Calibration: errors by their definition, and weights that mend a score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the regression needs scipy (the extra train)")

from benchmarks.reliability import bins_of, calibration_error, draw, fit, separation


def test_the_error_is_the_mean_distance_over_the_bins() -> None:
    confidence = np.array([0.05, 0.05, 0.95, 0.95])
    right = np.array([False, True, True, True])
    bins = bins_of(confidence, right)
    assert bins == [
        {"share": 0.5, "confidence": 0.05, "right": 0.5},
        {"share": 0.5, "confidence": 0.95, "right": 1.0},
    ]
    assert calibration_error(bins) == pytest.approx(0.5 * 0.45 + 0.5 * 0.05)
    assert bins_of(np.array([1.0]), np.array([True])) == [{"share": 1.0, "confidence": 1.0, "right": 1.0}]
    assert bins_of(confidence[:2], right[:2], np.array([3.0, 1.0])) == [
        {"share": 1.0, "confidence": 0.05, "right": 0.25}
    ]


def test_separation_counts_pairs() -> None:
    confidence = np.array([0.9, 0.4, 0.5, 0.1])
    right = np.array([True, True, False, False])
    assert separation(confidence, right) == 0.75
    assert np.isnan(separation(confidence, np.ones(4, bool)))


def test_a_fit_finds_the_weights_behind_the_outcomes() -> None:
    rng = np.random.default_rng(0)
    features = np.column_stack(
        [np.ones(20_000), 5 * rng.standard_normal(20_000), rng.standard_normal(20_000)]
    )
    truth = np.array([-0.5, 0.4, 0.0])
    probability = 1 / (1 + np.exp(-features @ truth))
    right = rng.random(20_000) < probability
    found = fit(features, right)
    np.testing.assert_allclose(found, truth, atol=0.06)
    assert calibration_error(bins_of(1 / (1 + np.exp(-features @ found)), right)) < 0.02
    assert calibration_error(bins_of(np.full(20_000, 0.95), right)) > 0.3


def test_shares_move_the_balance() -> None:
    features, right = np.ones((100, 1)), np.arange(100) < 10
    plain = 1 / (1 + np.exp(-fit(features, right)[0]))
    weighted = 1 / (1 + np.exp(-fit(features, right, np.where(right, 9.0, 1.0))[0]))
    assert (plain, weighted) == (pytest.approx(0.1, abs=1e-3), pytest.approx(0.5, abs=1e-3))


def test_a_plot_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need matplotlib (the extra train)")
    bins = bins_of(np.array([0.2, 0.7, 0.75]), np.array([False, True, False]))
    draw({"one": bins, "other": bins}, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
