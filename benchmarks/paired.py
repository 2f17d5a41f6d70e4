"""What two systems that heard the same recordings differ by, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.listening import Answer

RESAMPLES = 10_000
"""Sets of recordings drawn for an interval."""
_AT_ONCE = 500
"""Of them: bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Rates of one measure before and after, and their difference."""

    before: float
    """Errors of the first system, a share."""
    after: float
    """Errors of the second."""
    low: float
    """Lower end of the interval of ``after - before`` that holds it with 95 %."""
    high: float
    """Upper end."""

    @property
    def lost(self) -> float:
        """Errors more than before."""
        return self.after - self.before


def word_errors(before: Sequence[Answer], after: Sequence[Answer]) -> Difference:
    """Word error rates of the same recordings."""
    return difference(
        np.array([answer.errors for answer in before]),
        np.array([answer.errors for answer in after]),
        np.array([answer.words for answer in before]),
    )


def wrong_sentences(before: Sequence[Answer], after: Sequence[Answer]) -> Difference:
    """Shares of the same recordings whose words were not all heard as said."""
    return difference(
        np.array([answer.errors > 0 for answer in before], dtype=np.int64),
        np.array([answer.errors > 0 for answer in after], dtype=np.int64),
        np.ones(len(before), dtype=np.int64),
    )


def difference(
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    of: npt.NDArray[np.int64],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Compare two counts of errors on the same recordings.

    The interval is the percentile bootstrap over recordings: both systems hear each set that is drawn (Bisani
    and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004).

    Parameters
    ----------
    before, after: (n,) errors in each recording.
    of: (n,) how many were possible, above 0 in all.

    Raises
    ------
    ValueError: no recordings, or not the same number of each.
    """
    if not len(before) == len(after) == len(of) > 0:
        raise ValueError(
            f"expected as many of each, at least one, got {len(before)}, {len(after)}, {len(of)}"
        )
    more, rng = after - before, np.random.default_rng(seed)
    drawn: list[npt.NDArray[np.float64]] = []
    for start in range(0, resamples, _AT_ONCE):
        chosen = rng.integers(len(of), size=(min(_AT_ONCE, resamples - start), len(of)))
        drawn.append(more[chosen].sum(axis=1) / of[chosen].sum(axis=1))
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5])
    total = int(of.sum())
    return Difference(
        before=int(before.sum()) / total, after=int(after.sum()) / total, low=float(low), high=float(high)
    )
