"""Mel-frequency cepstral coefficients, Kaldi's definition without dither.

Source: S. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word
recognition", IEEE Trans. ASSP 28(4), 1980; details as in Kaldi's feat/feature-mfcc.cc.
"""

from __future__ import annotations

import functools

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.config import MfccConfig
from edge_asr.features.mel import mel_filters
from edge_asr.framing import frame

_ENERGY_FLOOR = np.float32(np.finfo(np.float32).eps)


def dct_matrix(config: MfccConfig) -> Float32Array:
    """Orthonormal DCT-II with the cepstral lifter 1 + Q/2 sin(pi k / Q): (mels, cepstra)."""
    k = np.arange(config.cepstra)[:, None]
    dct = np.cos(np.pi / config.mel_bins * (np.arange(config.mel_bins) + 0.5) * k)
    dct *= np.where(k == 0, np.sqrt(1 / config.mel_bins), np.sqrt(2 / config.mel_bins))
    if config.lifter:
        dct *= 1 + 0.5 * config.lifter * np.sin(np.pi * k / config.lifter)
    return np.asarray(dct.T, dtype=np.float32)


@functools.lru_cache(maxsize=8)
def tables(config: MfccConfig) -> tuple[Float32Array, Float32Array, Float32Array, int]:
    """Window (samples,), filters (bins, mels), liftered DCT (mels, ceps) and FFT size."""
    length = config.frame_length_samples
    fft_size = 1 << (length - 1).bit_length()
    n = np.arange(length)
    # Povey's window: a Hann window to the power 0.85, which is nearly Hamming but ends at zero.
    window = (0.5 - 0.5 * np.cos(2 * np.pi * n / (length - 1))) ** 0.85
    filters = mel_filters(
        bins=config.mel_bins,
        fft_size=fft_size,
        sample_rate_hz=config.sample_rate_hz,
        low_hz=config.low_hz,
        high_hz=config.high_hz,
    )
    return window.astype(np.float32), filters, dct_matrix(config), fft_size


def mfcc_frames(frames: Float32Array, config: MfccConfig) -> Float32Array:
    """Coefficients of frames already cut: (frames, samples) -> (frames, cepstra)."""
    window, filters, dct, fft_size = tables(config)
    centred = frames - frames.mean(axis=1, keepdims=True)
    emphasised = centred.copy()
    emphasised[:, 1:] -= config.preemphasis * centred[:, :-1]
    emphasised[:, 0] -= config.preemphasis * centred[:, 0]
    spectrum = np.fft.rfft((emphasised * window).astype(np.float64), fft_size)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    log_mel = np.log(np.maximum(power @ filters, _ENERGY_FLOOR))
    return np.asarray(log_mel @ dct, dtype=np.float32)


def mfcc(samples: Float32Array, config: MfccConfig) -> Float32Array:
    """Coefficients of a whole recording.

    Parameters
    ----------
    samples: (n,) float32 in [-1, 1] at ``config.sample_rate_hz``.

    Returns
    -------
    (frames, cepstra) float32; no frame where n is shorter than one window.
    """
    frames, _ = frame(
        np.empty(0, dtype=np.float32),
        samples,
        length_samples=config.frame_length_samples,
        shift_samples=config.frame_shift_samples,
    )
    # Half a minute at a time: the spectrum of an hour would not fit a small board.
    blocks = [mfcc_frames(frames[i : i + 3000], config) for i in range(0, len(frames), 3000)]
    return np.concatenate(blocks) if blocks else np.empty((0, config.cepstra), dtype=np.float32)


class Mfcc:
    """Streaming stage: samples (n,) -> coefficients (frames, cepstra).

    Frames are computed ``group_frames`` at a time, counted from the start of the stream: matrix
    products of different heights may differ in the last bit, and so the output would depend on how
    the audio was cut into blocks. With fixed groups any split gives the same bits.
    """

    def __init__(self, config: MfccConfig, *, group_frames: int = 8) -> None:
        self._config = config
        self._group = group_frames
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self._keep(np.empty(0, dtype=np.float32))

    def push(self, x: Float32Array) -> Float32Array:
        """Take (n,) samples in [-1, 1]; return the coefficients of all whole groups."""
        shift, length = self._config.frame_shift_samples, self._config.frame_length_samples
        self._pending.append(np.asarray(x, dtype=np.float32))
        self._waiting += x.size
        need = length + (self._group - 1) * shift
        if self._waiting < need:
            return np.empty((0, self._config.cepstra), dtype=np.float32)
        stream = np.concatenate(self._pending)
        groups = (stream.size - need) // (self._group * shift) + 1
        out = [self._group_at(stream, i * self._group * shift, self._group) for i in range(groups)]
        self._keep(stream[groups * self._group * shift :].copy())
        return np.concatenate(out)

    def flush(self) -> Float32Array:
        """Return the coefficients of the last, smaller group; samples short of a frame are dropped."""
        stream = np.concatenate(self._pending)
        shift, length = self._config.frame_shift_samples, self._config.frame_length_samples
        count = (stream.size - length) // shift + 1 if stream.size >= length else 0
        self._keep(np.empty(0, dtype=np.float32))
        if count == 0:
            return np.empty((0, self._config.cepstra), dtype=np.float32)
        return self._group_at(stream, 0, count)

    def _group_at(self, stream: Float32Array, start: int, count: int) -> Float32Array:
        shift, length = self._config.frame_shift_samples, self._config.frame_length_samples
        part = stream[start : start + (count - 1) * shift + length]
        frames, _ = frame(stream[:0], part, length_samples=length, shift_samples=shift)
        return mfcc_frames(frames, self._config)

    def _keep(self, samples: Float32Array) -> None:
        self._pending: list[Float32Array] = [samples]
        self._waiting = samples.size
