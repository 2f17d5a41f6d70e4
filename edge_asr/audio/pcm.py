"""The one door for PCM: outside are 16-bit integers, behind it float32 in [-1, 1]. Time is axis 0."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array, Int16Array
from edge_asr.errors import AudioError

FULL_SCALE = 32768.0
"""The integer that 1.0 stands for. It does not fit in int16 itself, so +1.0 clips to 32767."""

ABSURD_ABOVE = 100.0
"""40 dB over full scale: a float sample beyond this is a mistake of scale, not a loud recording."""


def from_int16(samples: Int16Array) -> Float32Array:
    """Scale int16 of any shape to float32 of the same shape in [-1, 1)."""
    return np.multiply(samples, np.float32(1 / FULL_SCALE), dtype=np.float32)


def from_bytes(data: bytes | bytearray | memoryview) -> Float32Array:
    """Decode little-endian 16-bit PCM: 2n bytes -> (n,) float32.

    Raises
    ------
    AudioError: an odd number of bytes.
    """
    if len(data) % 2:
        raise AudioError(f"expected 16-bit PCM, an even number of bytes; got {len(data)}")
    return from_int16(np.frombuffer(data, dtype="<i2"))


def to_int16(samples: Float32Array) -> Int16Array:
    """Scale finite float32 of any shape to int16, rounding to nearest; what exceeds [-1, 1) clips.

    ``to_int16(from_int16(x)) == x`` for every x.
    """
    scaled = np.rint(samples * np.float32(FULL_SCALE))
    clipped: Int16Array = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return clipped


def to_bytes(samples: Float32Array) -> bytes:
    """Encode finite float32 samples (n,) as little-endian 16-bit PCM, 2n bytes."""
    return to_int16(samples).astype("<i2", copy=False).tobytes()


def to_mono(samples: Float32Array) -> Float32Array:
    """Mean of the channels: (n,) or (n, channels) -> (n,). The result may share the input's memory.

    Raises
    ------
    AudioError: any other shape, or no channel at all.
    """
    if samples.ndim == 1:
        return samples
    if samples.ndim != 2 or samples.shape[1] == 0:
        raise AudioError(f"expected samples of shape (n,) or (n, channels), got {samples.shape}")
    if samples.shape[1] == 1:
        return samples[:, 0]
    mono: Float32Array = samples.mean(axis=1, dtype=np.float32)
    return mono


def check_samples(samples: Float32Array, *, sample_rate_hz: int | None = None, first_sample: int = 0) -> None:
    """Refuse what is not audio: NaN, infinities, and values that no recording in [-1, 1] can have.

    Parameters
    ----------
    samples: (n,) or (n, channels).
    sample_rate_hz: given, the message also says when.
    first_sample: position of ``samples[0]`` in its stream.

    Raises
    ------
    AudioError: names the position of the first bad sample.
    """
    good = np.abs(samples) <= ABSURD_ABOVE  # false for NaN too
    if good.all():
        return
    row = int(np.argmin(good.reshape(len(samples), -1).all(axis=1)))
    value = samples[row][~good[row]].flat[0]
    position = first_sample + row
    when = "" if sample_rate_hz is None else f" (at {position / sample_rate_hz:.3f} s)"
    raise AudioError(f"sample {position}{when} is {value:g}: expected numbers between -1 and 1")
