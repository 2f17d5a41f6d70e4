"""Normalisation of features: a running mean that starts from the training mean, and a fixed scale.

The running mean is what lets one model hear many microphones: a microphone's frequency response and
gain are constants added to the cepstra. It follows Kaldi's online CMVN (global statistics as a prior),
with an exponential window in place of a rectangular one, so that the state stays small.
"""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array
from edge_asr.config import CmvnConfig


def normalise(
    mean: Float64Array, evidence: int, features: Float32Array, config: CmvnConfig
) -> tuple[Float32Array, Float64Array, int]:
    """Normalise features, carrying the running mean.

    For frame t: n = min(n + 1, window_frames); mean += (x[t] - mean) / n; y[t] = (x[t] - mean) * scale.

    Parameters
    ----------
    mean: (coefficients,) running mean so far; evidence: n so far.
    features: (frames, coefficients).

    Returns
    -------
    normalised (frames, coefficients) float32, the new mean, the new evidence.
    """
    means = np.empty(features.shape, dtype=np.float64)
    mean = mean.copy()
    for t, x in enumerate(features.astype(np.float64)):
        evidence = min(evidence + 1, config.window_frames)
        mean += (x - mean) / evidence
        means[t] = mean
    scale = np.asarray(config.scale)
    return ((features - means) * scale).astype(np.float32), mean, evidence


def cmvn(features: Float32Array, config: CmvnConfig) -> Float32Array:
    """Normalise the features of a whole recording: (frames, coefficients) -> the same shape."""
    return normalise(np.asarray(config.mean), config.prior_frames, features, config)[0]


class Cmvn:
    """Streaming stage: features (frames, coefficients) -> normalised features of the same shape."""

    def __init__(self, config: CmvnConfig) -> None:
        self._config = config
        self.reset()

    def reset(self) -> None:
        """Go back to the training mean."""
        self._mean: Float64Array = np.asarray(self._config.mean)
        self._evidence = self._config.prior_frames

    def push(self, x: Float32Array) -> Float32Array:
        """Normalise (frames, coefficients) and learn from them."""
        y, self._mean, self._evidence = normalise(self._mean, self._evidence, x, self._config)
        return y

    def flush(self) -> Float32Array:
        """Nothing waits here: (0, coefficients)."""
        return np.empty((0, len(self._config.mean)), dtype=np.float32)
