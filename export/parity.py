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
    max_log_prob: float
    """The largest of these."""
    argmax_agreement: float
    """Share of frames with the same best token."""
    phone_difference: float
    """Edits between the greedy phone strings per phone of the reference."""

    def within(self, limit: Difference) -> bool:
        """Whether no figure is worse than in ``limit``; a figure that is not a number is worse."""
        return (
            self.max_probability <= limit.max_probability
            and self.mean_log_prob <= limit.mean_log_prob
            and self.max_log_prob <= limit.max_log_prob
            and self.argmax_agreement >= limit.argmax_agreement
            and self.phone_difference <= limit.phone_difference
        )


SAME = Difference(
    max_probability=2e-4,
    mean_log_prob=1e-4,
    max_log_prob=1e-3,
    argmax_agreement=0.999,
    phone_difference=0.001,
)
"""Same weights, same arithmetic, another order of sums. An LSTM of 2.6 million weights: 2e-6 and 1e-6; so for
en-tiny, and 6e-6 at the most."""

QUANTIZED = Difference(
    max_probability=1.0,
    mean_log_prob=0.07,
    max_log_prob=20.0,
    argmax_agreement=0.985,
    phone_difference=0.03,
)
"""int8. A CTC spike may move by a frame, so a single probability or its logarithm may differ by anything, and
the mean decides. Sound graphs on 8 to 64 recordings: 0.031 (an LSTM), 0.067 (en-tiny), 0.061 (en-small; both
learned with rounded numbers, benchmarks/results/int8-loss.json says what they hear with them). What must not
pass: one scale a tensor and an int8 front, 0.098 on en-tiny, 0.100 on en-small (7 bits; with 8 bits 4.3 % of
en-small's phones); any layer of en-tiny zeroed, transposed or with its scale doubled, 0.107 and more."""

ROUNDED_TWICE = Difference(
    max_probability=1.0,
    mean_log_prob=0.1,
    max_log_prob=20.0,
    argmax_agreement=0.98,
    phone_difference=0.05,
)
"""An int8 file of one format beside the weights of another's, both rounded on their own: TFLite beside ONNX
0.070 (en-small) and 0.075 (en-tiny) on 16 recordings, 2.5 and 3.7 % of the phones."""

DECODED = Difference(
    max_probability=0.2,
    mean_log_prob=0.12,
    max_log_prob=1.0,
    argmax_agreement=0.94,
    phone_difference=0.35,
)
"""Weights that were rounded to int8 and are floats again, on the golden signal, which is no speech and in
which three or four phones are heard. en-tiny: 0.13, 0.090, 0.59, 100 % and none; en-small: 0.087, 0.069,
0.25, 95 % (one of 21) and one of four. Any product zeroed or doubled: 0.169 and more, but for the second one
of en-small's front, whose doubling a normalisation undoes (0.090)."""


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
    distance = np.abs(expected - got)[probability > MATTERS]
    edits = phones = 0
    for a, b in zip(reference, answers, strict=True):
        said = collapse(a.argmax(axis=1))
        edits += Levenshtein.distance(said, collapse(b.argmax(axis=1)))
        phones += len(said)
    return Difference(
        max_probability=float(np.abs(probability - np.exp(got)).max()),
        mean_log_prob=float(distance.mean()),
        max_log_prob=float(distance.max()),
        argmax_agreement=float((expected.argmax(axis=1) == got.argmax(axis=1)).mean()),
        phone_difference=edits / max(1, phones),
    )
