"""What one pass over the corpus has seen, and the mixtures that follow from it."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array, Int64Array
from export.gmm.mixtures import Mixtures

_PENDING_FRAMES = 50_000
"""Frames that wait to be sorted by distribution: many at once make few, larger products."""
_STARVED_FRAMES = 10.0
"""A Gaussian that saw less goes; a distribution that did stays as it was (Kaldi's defaults)."""
_STAY_RANGE = (0.01, 0.99)
"""Probabilities of staying are kept within it, so that no length is impossible."""


class Statistics:
    """Sums over frames with their distributions, shared among the Gaussians (one step of EM).

    Source: A. Dempster, N. Laird and D. Rubin, "Maximum likelihood from incomplete data via the EM
    algorithm", J. Royal Statistical Society B, 1977, within each state of the Viterbi path.
    """

    def __init__(self, mixtures: Mixtures) -> None:
        self._mixtures = mixtures
        gaussians, values = mixtures.means.shape
        self._share = np.zeros(gaussians)
        self._sums = np.zeros((gaussians, values))
        self._squares = np.zeros((gaussians, values))
        self._stays, self._leaves = np.zeros((2, len(mixtures.counts)))
        self._pending: list[tuple[Float32Array, Int64Array]] = []
        self._waiting = 0

    def add(self, x: Float32Array, path: Int64Array, states: Int64Array) -> None:
        """Take in an utterance: observations (frames, values), its path within the chain (frames,) and the
        distribution (states of the chain,) of each place."""
        distributions = states[path]
        stayed = path[1:] == path[:-1]
        np.add.at(self._stays, distributions[:-1][stayed], 1)
        np.add.at(self._leaves, distributions[np.append(~stayed, True)], 1)
        self._pending.append((x, distributions))
        self._waiting += len(x)
        if self._waiting > _PENDING_FRAMES:
            self._sort()

    def occupancy(self) -> Float64Array:
        """(distributions,) frames."""
        self._sort()
        return np.asarray(np.add.reduceat(self._share, self._mixtures.offsets[:-1]))

    def estimate(self, *, variance_floor: float) -> Mixtures:
        """The mixtures that make what was seen most likely.

        Variances stay above ``variance_floor`` times that of all frames. Starved Gaussians are left out.
        """
        occupancy = self.occupancy()
        old = self._mixtures
        mean = self._sums.sum(axis=0) / max(1.0, occupancy.sum())
        spread = self._squares.sum(axis=0) / max(1.0, occupancy.sum()) - mean**2
        of_gaussian = np.repeat(occupancy, old.counts)
        fed = of_gaussian >= _STARVED_FRAMES
        share = np.maximum(self._share, 1e-10)[:, None]
        means = self._sums / share
        variances = np.maximum(self._squares / share - means**2, variance_floor * spread)
        alive = fed & (self._share >= 1e-3)
        weights = np.where(fed, self._share / np.maximum(of_gaussian, 1e-10), old.weights)
        new = Mixtures(
            weights.astype(np.float32),
            np.where(alive[:, None], means, old.means).astype(np.float32),
            np.where(alive[:, None], variances, old.variances).astype(np.float32),
            old.offsets,
        )
        return new.kept(~fed | (self._share >= _STARVED_FRAMES))

    def stay(self, before: Float64Array) -> Float64Array:
        """(distributions,) probability of staying in a state; ``before`` where none was seen."""
        seen = self._stays + self._leaves
        ratio = self._stays / np.maximum(seen, 1)
        return np.where(seen > 0, np.clip(ratio, *_STAY_RANGE), before)

    def _sort(self) -> None:
        """Share the waiting frames among the Gaussians of their distributions."""
        if not self._pending:
            return
        x = np.concatenate([x for x, _ in self._pending])
        distributions = np.concatenate([d for _, d in self._pending])
        self._pending, self._waiting = [], 0
        order = np.argsort(distributions, kind="stable")
        x, distributions = x[order], distributions[order]
        present, starts = np.unique(distributions, return_index=True)
        for i, frames in zip(present, np.split(x, starts[1:]), strict=True):
            own = slice(*self._mixtures.offsets[i : i + 2])
            shares = self._mixtures.responsibilities(frames, int(i)).astype(np.float64)
            wide = frames.astype(np.float64)
            self._share[own] += shares.sum(axis=1)
            self._sums[own] += shares @ wide
            self._squares[own] += shares @ np.square(wide)
