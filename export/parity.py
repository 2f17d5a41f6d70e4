"""How far two answers to the same audio lie apart, and how far they may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from edge_asr.arrays import Float32Array
from export.score import collapse

MATTERS = 1e-3
"""Log-probabilities are compared where the reference gives at least this probability: further down they
are noise that no search looks at."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two sets of log-probabilities compared, the first one being the reference."""

    max_probability: float
    """Largest difference of a probability."""
    mean_log_prob: float
    """Mean difference of the log-probabilities that matter, natural log."""
    argmax_agreement: float
    """Share of frames with the same best token."""
    phone_difference: float
    """Edits between the greedy phone strings per phone of the reference."""

    def within(self, limit: Difference) -> bool:
        """Whether no figure is worse than in ``limit``; a figure that is not a number is worse."""
        return (
            self.max_probability <= limit.max_probability
            and self.mean_log_prob <= limit.mean_log_prob
            and self.argmax_agreement >= limit.argmax_agreement
            and self.phone_difference <= limit.phone_difference
        )


SAME = Difference(max_probability=2e-4, mean_log_prob=1e-4, argmax_agreement=0.999, phone_difference=0.001)
"""Same weights, same arithmetic, another order of sums. An LSTM of 2.6 million weights: 2e-6 and 1e-6."""

QUANTIZED = Difference(max_probability=1.0, mean_log_prob=0.08, argmax_agreement=0.985, phone_difference=0.03)
"""int8. A CTC spike may move by a frame, so a single probability may differ by anything. The same LSTM
after two epochs, 16 recordings: 0.2, 0.031, 99.9 % and 0.75 %."""


def compare(reference: Sequence[Float32Array], answers: Sequence[Float32Array]) -> Difference:
    """Compare log-probabilities, recording by recording.

    Parameters
    ----------
    reference, answers: one (frames, outputs) array per recording.

    Raises
    ------
    ValueError: the shapes differ.
    """
    expected, got = np.concatenate(reference), np.concatenate(answers)
    if [a.shape for a in reference] != [b.shape for b in answers]:
        raise ValueError(f"expected {[a.shape for a in reference]}, got {[b.shape for b in answers]}")
    probability = np.exp(expected)
    edits = phones = 0
    for a, b in zip(reference, answers, strict=True):
        said = collapse(a.argmax(axis=1))
        edits += Levenshtein.distance(said, collapse(b.argmax(axis=1)))
        phones += len(said)
    return Difference(
        max_probability=float(np.abs(probability - np.exp(got)).max()),
        mean_log_prob=float(np.abs(expected - got)[probability > MATTERS].mean()),
        argmax_agreement=float((expected.argmax(axis=1) == got.argmax(axis=1)).mean()),
        phone_difference=edits / max(1, phones),
    )
