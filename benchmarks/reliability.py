"""Confidences as probabilities: how well they fit what came true, and weights that make them fit.

Sources: M. Naeini, G. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
binning", AAAI 2015 (expected calibration error); J. Platt, "Probabilistic outputs for support vector
machines", 1999 (logistic regression on scores).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edge_asr.arrays import BoolArray, Float64Array

BINS = 10
_PENALTY = 1e-3
"""Of the squared weights, the first left out: features that say nothing get none."""


def fit(features: Float64Array, right: BoolArray, weights: Float64Array | None = None) -> Float64Array:
    """Weights (features,) of the logistic regression that makes features (n, features) probabilities.

    Parameters
    ----------
    right: (n,) what came true.
    weights: (n,) how much each counts; all alike where not given.
    """
    from scipy.optimize import minimize

    scale = features.std(axis=0)
    scale[scale == 0] = 1.0
    x, y = features / scale, right.astype(np.float64)
    share = np.ones(len(y)) if weights is None else weights
    share = share / share.sum()

    def loss(theta: Float64Array) -> tuple[float, Float64Array]:
        z = x @ theta
        value = (share * (np.logaddexp(0, z) - y * z)).sum() + _PENALTY * (theta[1:] ** 2).sum()
        slope = x.T @ (share * (1 / (1 + np.exp(-z)) - y))
        slope[1:] += 2 * _PENALTY * theta[1:]
        return float(value), slope

    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x / scale)


def bins_of(
    confidence: Float64Array, right: BoolArray, weights: Float64Array | None = None
) -> list[dict[str, float]]:
    """Ten bins of equal width: which share of all, its mean confidence, and how much of it was right."""
    weights = np.ones(len(right)) if weights is None else weights
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = []
    for k in range(BINS):
        mine = number == k
        if mine.any():
            held = weights[mine]
            bins.append(
                {
                    "share": round(float(held.sum() / weights.sum()), 4),
                    "confidence": round(float(np.average(confidence[mine], weights=held)), 4),
                    "right": round(float(np.average(right[mine], weights=held)), 4),
                }
            )
    return bins


def calibration_error(bins: list[dict[str, float]]) -> float:
    """Expected calibration error: mean distance between confidence and share right, over the bins."""
    return round(sum(b["share"] * abs(b["confidence"] - b["right"]) for b in bins), 4)


def separation(confidence: Float64Array, right: BoolArray) -> float:
    """Area under the ROC curve: how often a right one has more confidence than a wrong one."""
    from scipy.stats import rankdata

    ranks = rankdata(confidence)
    positive, negative = int(right.sum()), int((~right).sum())
    if not positive or not negative:
        return float("nan")
    return round(float((ranks[right].sum() - positive * (positive + 1) / 2) / (positive * negative)), 4)


def draw(panels: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Reliability plots: share right over confidence, one panel a model and kind."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(panels), 4), layout="constrained")
    axes: Any
    for axes, (title, bins) in zip(
        figure.subplots(1, len(panels), squeeze=False).flat, panels.items(), strict=True
    ):
        axes.plot([0, 1], [0, 1], ":", color="grey")
        sizes = [20 + 300 * b["share"] / max(b["share"] for b in bins) for b in bins]
        axes.scatter([b["confidence"] for b in bins], [b["right"] for b in bins], s=sizes, alpha=0.6)
        axes.plot([b["confidence"] for b in bins], [b["right"] for b in bins])
        axes.set_title(title)
        axes.set_xlabel("confidence")
        axes.set_ylabel("share right")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=80)
