"""Cutting a stream of samples into overlapping frames."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array


def frame(
    tail: Float32Array, samples: Float32Array, *, length_samples: int, shift_samples: int
) -> tuple[Float32Array, Float32Array]:
    """Cut all whole frames out of ``tail`` followed by ``samples``.

    Frame i covers samples ``[i * shift, i * shift + length)`` of the stream (Kaldi's
    ``snip-edges=true``): a last, incomplete frame is never made.

    Returns
    -------
    frames: (frames, length_samples), a read-only view.
    tail: (n,) samples that the next call needs, at most ``length_samples - 1`` where
        ``shift_samples <= length_samples``.
    """
    stream = np.concatenate([tail, samples]) if tail.size else samples
    if stream.size < length_samples:
        return np.empty((0, length_samples), dtype=np.float32), stream.copy()
    windows = np.lib.stride_tricks.sliding_window_view(stream, length_samples)[::shift_samples]
    return windows, stream[windows.shape[0] * shift_samples :].copy()
