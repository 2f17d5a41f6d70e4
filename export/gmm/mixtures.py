"""Mixtures of Gaussians with diagonal covariances, one for each distribution, all in flat arrays."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array, Int64Array

_APART = 0.2
"""Standard deviations by which the halves of a Gaussian are moved (HTK Book, section 8.6)."""


@dataclass(frozen=True)
class Mixtures:
    """Gaussians of all distributions, those of one beside each other."""

    weights: Float32Array
    """(gaussians,) within each distribution they sum to one."""
    means: Float32Array
    """(gaussians, values)."""
    variances: Float32Array
    """(gaussians, values)."""
    offsets: Int64Array
    """(distributions + 1,) where the Gaussians of each begin."""

    @classmethod
    def single(cls, means: Float64Array, variances: Float64Array) -> Mixtures:
        """One Gaussian for each distribution: (distributions, values) both."""
        count = len(means)
        return cls(
            np.ones(count, dtype=np.float32),
            means.astype(np.float32),
            variances.astype(np.float32),
            np.arange(count + 1),
        )

    @property
    def counts(self) -> Int64Array:
        """(distributions,) Gaussians of each."""
        return np.diff(self.offsets)

    @cached_property
    def _linear(self) -> Float32Array:
        """(gaussians, 2 * values + 1): what [x, x^2, 1] is multiplied with to give log(weight * density)."""
        precision = 1 / self.variances.astype(np.float64)
        constant = np.log(np.maximum(self.weights, 1e-30)) - 0.5 * (
            np.log(2 * np.pi / precision) + self.means**2 * precision
        ).sum(axis=1)
        return np.column_stack([self.means * precision, -0.5 * precision, constant]).astype(np.float32)

    def log_likelihoods(self, x: Float32Array, chosen: Int64Array | None = None) -> Float32Array:
        """Of frames (frames, values) under the ``chosen`` distributions, all by default: (chosen, frames).

        One matrix product, then log-sum-exp over the first, second ... Gaussian of all distributions at
        once: those with most Gaussians come first, so that each step is a plain slice.
        """
        which = np.arange(len(self.counts)) if chosen is None else chosen
        counts = self.counts[which]
        order = np.argsort(-counts, kind="stable")
        sizes = [int((counts > k).sum()) for k in range(int(counts.max()))]
        starts = self.offsets[which[order]]
        rows = np.concatenate([starts[:size] + k for k, size in enumerate(sizes)])
        parts = np.split(self._linear[rows] @ _lifted(x), np.cumsum(sizes)[:-1])
        best = parts[0].copy()
        for part in parts[1:]:
            np.maximum(best[: len(part)], part, out=best[: len(part)])
        total = np.zeros_like(best)
        for part in parts:
            total[: len(part)] += np.exp(part - best[: len(part)])
        result = np.empty_like(best)
        result[order] = best + np.log(total)
        return result

    def responsibilities(self, x: Float32Array, distribution: int) -> Float32Array:
        """Share of each Gaussian of one distribution in frames (frames, values): (gaussians, frames)."""
        own = slice(*self.offsets[distribution : distribution + 2])
        if own.stop - own.start == 1:
            return np.ones((1, len(x)), dtype=np.float32)
        logs = self._linear[own] @ _lifted(x)
        shares = np.exp(logs - logs.max(axis=0))
        return np.asarray(shares / shares.sum(axis=0))

    def grown(self, counts: Int64Array) -> Mixtures:
        """With ``counts`` Gaussians for each distribution: the heaviest is halved until there are enough.

        Its halves move apart by 0.2 standard deviations. Source: HTK Book, section 8.6. A distribution that
        has as many already stays as it is.
        """
        weights, means, variances = [], [], []
        for i, count in enumerate(counts):
            own = slice(*self.offsets[i : i + 2])
            w, m, v = list(self.weights[own]), list(self.means[own]), list(self.variances[own])
            while len(w) < count:
                k = int(np.argmax(w))
                apart = _APART * np.sqrt(v[k])
                w[k] = w[k] / 2
                w.append(w[k])
                m.append(m[k] + apart)
                m[k] = m[k] - apart
                v.append(v[k])
            weights += w
            means += m
            variances += v
        held = np.maximum(self.counts, counts)
        return Mixtures(
            np.array(weights, dtype=np.float32),
            np.array(means, dtype=np.float32),
            np.array(variances, dtype=np.float32),
            np.concatenate([[0], np.cumsum(held)]),
        )

    def kept(self, keep: np.ndarray) -> Mixtures:
        """Only the Gaussians where ``keep`` (gaussians,) is true, and the heaviest of each distribution."""
        keep = keep.copy()
        for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            keep[start + int(np.argmax(self.weights[start:end]))] = True
        counts = np.add.reduceat(keep.astype(np.int64), self.offsets[:-1])
        weights = np.where(keep, self.weights, 0)
        sums = np.repeat(np.add.reduceat(weights, self.offsets[:-1]), self.counts)
        return Mixtures(
            (weights / sums)[keep].astype(np.float32),
            self.means[keep],
            self.variances[keep],
            np.concatenate([[0], np.cumsum(counts)]),
        )


def shared_out(
    occupancy: Float64Array, counts: Int64Array, total: int, *, power: float, min_frames: float
) -> Int64Array:
    """How many Gaussians each distribution should have when there are ``total``.

    One after the other goes to where occupancy^power per Gaussian is largest, as long as each keeps
    ``min_frames``. Source: the Kaldi toolkit's GetSplitTargets (D. Povey et al., ASRU 2011).
    """
    targets = counts.copy()
    mass = np.maximum(occupancy, 1e-10) ** power
    queue = [(-mass[i] / targets[i], i) for i in range(len(targets))]
    heapq.heapify(queue)
    left = total - int(targets.sum())
    while left > 0 and queue:
        _, i = heapq.heappop(queue)
        if occupancy[i] < min_frames * (targets[i] + 1):
            continue
        targets[i] += 1
        left -= 1
        heapq.heappush(queue, (-mass[i] / targets[i], i))
    return targets


def _lifted(x: Float32Array) -> Float32Array:
    """(frames, values) -> [x, x^2, 1] transposed: (2 * values + 1, frames)."""
    return np.concatenate([x.T, np.square(x.T), np.ones((1, len(x)), dtype=np.float32)])
