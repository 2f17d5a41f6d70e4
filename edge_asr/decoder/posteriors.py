"""Frames of log-probabilities made to sum to one, so that scores of paths are log posteriors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array


class Posteriors:
    """Adds the token offsets and takes off what all tokens of a frame are worth together.

    Parameters
    ----------
    tokens: width of the frames.
    token_offsets: added to the log-probabilities, one for each token; none where empty.
    """

    def __init__(self, tokens: int, token_offsets: Sequence[float] = ()) -> None:
        if len(token_offsets) not in (0, tokens):
            raise ValueError(f"expected {tokens} token offsets or none, got {len(token_offsets)}")
        self._tokens = tokens
        self._offsets = np.asarray(token_offsets, dtype=np.float64) if len(token_offsets) else None

    def normalise(self, log_probs: Float32Array) -> tuple[Float64Array, Float64Array]:
        """Any number of frames, in double precision.

        Parameters
        ----------
        log_probs: (frames, tokens) natural logarithms.

        Returns
        -------
        emissions: (frames, tokens) log posteriors.
        sums: (frames,) what was taken off each frame, natural log.

        Raises
        ------
        ValueError: another width, or a frame in which no token is possible or one is not a number.
        """
        if log_probs.ndim != 2 or log_probs.shape[1] != self._tokens:
            raise ValueError(f"expected log-probabilities (frames, {self._tokens}), got {log_probs.shape}")
        emissions = log_probs.astype(np.float64)
        if self._offsets is not None:
            emissions += self._offsets
        top = emissions.max(axis=1)
        if not np.isfinite(top).all():
            raise ValueError(
                "expected log-probabilities, got a frame of nothing but -inf, or with NaN or +inf"
            )
        sums = top + np.log(np.exp(emissions - top[:, None]).sum(axis=1))
        emissions -= sums[:, None]
        return emissions, sums


def running(start: float, values: Float64Array) -> Float64Array:
    """(n + 1,) ``start`` and the sums up to each value: the same to the last bit however they are divided."""
    sums: Float64Array = np.add.accumulate(np.concatenate([[start], values]))
    return sums
