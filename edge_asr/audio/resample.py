"""Change of sample rate, streaming and whole, by libsoxr at its HQ setting (linear phase, 20 bits)."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.errors import AudioError

LOWEST_RATE_HZ = 1_000
HIGHEST_RATE_HZ = 768_000
"""The fastest that sound cards offer; beyond it a header is damaged."""


class Resampler:
    """Streaming stage: (n,) samples at ``from_hz`` -> (m,) samples at ``to_hz``.

    Parts of any size give bit for bit what the whole gives, m = round(n * to_hz / from_hz) in the end,
    and the output lines up with the input (the filter's delay is taken out). Until ``flush`` the output
    lags: to 16 kHz, by 21 ms from 48 kHz, 22 ms from 44.1 kHz, 61 ms from 192 kHz, 66 ms from 8 kHz.
    Peaks near full scale may come out slightly beyond [-1, 1]. Equal rates pass samples through untouched.

    Raises
    ------
    AudioError: a rate outside LOWEST_RATE_HZ..HIGHEST_RATE_HZ.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        for rate_hz in (from_hz, to_hz):
            if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
                raise AudioError(
                    f"expected a sample rate of {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz, got {rate_hz} Hz"
                )
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._soxr: Any
        self._flushed: bool
        self.reset()

    def push(self, x: Float32Array) -> Float32Array:
        """Take any number of samples (n,); return those that are ready (m,)."""
        if self._soxr is None:
            return x
        resampled: Float32Array = self._soxr.resample_chunk(np.ascontiguousarray(x, dtype=np.float32))
        return resampled

    def flush(self) -> Float32Array:
        """Return the rest (m,), once."""
        nothing = np.empty(0, dtype=np.float32)
        if self._soxr is None or self._flushed:
            return nothing
        self._flushed = True
        rest: Float32Array = self._soxr.resample_chunk(nothing, last=True)
        return rest

    def reset(self) -> None:
        """Forget everything."""
        self._soxr = _soxr_stream(self.from_hz, self.to_hz)
        self._flushed = False


def resample(samples: Float32Array, from_hz: int, to_hz: int) -> Float32Array:
    """Resample a whole signal: (n,) at ``from_hz`` -> (m,) at ``to_hz``; see :class:`Resampler`."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def _soxr_stream(from_hz: int, to_hz: int) -> Any:
    if from_hz == to_hz:
        return None
    import soxr  # late: who feeds 16 kHz, as most boards do, never loads it

    return soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
