"""The slowest truth: every way to label every frame, written out. Nothing in it knows dynamic programming."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np

from edge_asr.arrays import Float32Array

Labels = tuple[int, ...]


def collapsed(frames: Labels) -> Labels:
    """Repetitions, then blanks taken out (Graves et al. 2006, the map B)."""
    return tuple(label for label, _ in itertools.groupby(frames) if label)


def alignments(log_probs: Float32Array) -> dict[Labels, list[float]]:
    """The score of each labelling of the frames, under the token sequence that it collapses to."""
    scores: dict[Labels, list[float]] = defaultdict(list)
    rows = log_probs.astype(float).tolist()
    for frames in itertools.product(range(log_probs.shape[1]), repeat=len(rows)):
        scores[collapsed(frames)].append(
            math.fsum(row[label] for row, label in zip(rows, frames, strict=True))
        )
    return scores


def log_sum(scores: list[float]) -> float:
    """Logarithm of the sum of probabilities."""
    top = max(scores)
    return top if top == -math.inf else top + math.log(math.fsum(math.exp(s - top) for s in scores))


def drawn_emissions(seed: int, frames: int, tokens: int, *, spread: float = 2.0) -> Float32Array:
    """Random normalised log-probabilities."""
    logits = spread * np.random.default_rng(seed).standard_normal((frames, tokens))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
