"""How features move: deltas and double deltas."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array

_REACH = 2
"""Frames to each side."""


def deltas(features: Float64Array) -> Float64Array:
    """Slope of each coefficient over five frames, per frame: (frames, n) -> (frames, n).

    d[t] = sum_k k (c[t+k] - c[t-k]) / (2 sum_k k^2), k = 1..2; the first and last frame are repeated beyond
    the ends. Source: S. Young et al., "The HTK Book", 2006, equation 5.16; S. Furui, "Speaker-independent
    isolated word recognition using dynamic features of speech spectrum", IEEE Trans. ASSP, 1986.
    """
    frames = len(features)
    padded = np.pad(features, ((_REACH, _REACH), (0, 0)), mode="edge")
    total = np.zeros_like(features)
    for k in range(1, _REACH + 1):
        ahead, behind = padded[_REACH + k :][:frames], padded[_REACH - k :][:frames]
        total += k * (ahead - behind)
    return np.asarray(total / (2 * sum(k * k for k in range(1, _REACH + 1))))


def observations(features: np.ndarray, cepstra: int) -> Float32Array:
    """What the Gaussians see: the first ``cepstra`` coefficients, their deltas and the deltas of those.

    (frames, coefficients) of any float type, one frame at least -> (frames, 3 * cepstra).
    """
    static = features[:, :cepstra].astype(np.float64)
    first = deltas(static)
    return np.concatenate([static, first, deltas(first)], axis=1).astype(np.float32)
