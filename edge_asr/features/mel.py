"""Triangular mel filters as Kaldi defines them (feat/mel-computations.cc)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from edge_asr.arrays import Float32Array, Float64Array


def hz_to_mel(hz: ArrayLike) -> Float64Array:
    """Mel scale of O'Shaughnessy (1987) as in HTK and Kaldi: 1127 ln(1 + f/700). Any shape."""
    return np.asarray(1127.0 * np.log1p(np.asarray(hz, dtype=np.float64) / 700.0), dtype=np.float64)


def mel_to_hz(mel: ArrayLike) -> Float64Array:
    """What :func:`hz_to_mel` undoes. Any shape."""
    return np.asarray(700.0 * np.expm1(np.asarray(mel, dtype=np.float64) / 1127.0), dtype=np.float64)


def mel_edges(*, bins: int, low_hz: float, high_hz: float) -> Float64Array:
    """Where the triangles begin, culminate and end, in mel: (bins + 2,)."""
    return np.linspace(float(hz_to_mel(low_hz)), float(hz_to_mel(high_hz)), bins + 2)


def mel_centres(*, bins: int, low_hz: float, high_hz: float) -> Float64Array:
    """Frequencies at which the filters culminate, in Hz: (bins,)."""
    return mel_to_hz(mel_edges(bins=bins, low_hz=low_hz, high_hz=high_hz)[1:-1])


def mel_filters(
    *, bins: int, fft_size: int, sample_rate_hz: int, low_hz: float, high_hz: float
) -> Float32Array:
    """Filter weights for a power spectrum.

    The triangles are equally wide and linear on the mel scale, not in Hz, and the Nyquist bin gets
    no weight; both as in Kaldi.

    Returns
    -------
    (fft_size // 2 + 1, bins) float32: ``power @ filters`` gives mel energies.
    """
    edges = mel_edges(bins=bins, low_hz=low_hz, high_hz=high_hz)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    mel = hz_to_mel(np.arange(fft_size // 2) * (sample_rate_hz / fft_size))[:, None]
    rising = (mel - left) / (centre - left)
    falling = (right - mel) / (right - centre)
    filters = np.zeros((fft_size // 2 + 1, bins), dtype=np.float32)
    filters[:-1] = np.maximum(0.0, np.minimum(rising, falling))
    return filters
