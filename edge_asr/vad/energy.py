"""Speech probability from loudness above an adaptive noise floor: numpy only.

The floor is the least frame level of the last seconds, as in R. Martin, "Noise power spectral density
estimation based on optimal smoothing and minimum statistics", 2001, for the full band, without the
smoothing and its bias correction: speech dips to the noise between words, and steady noise is the floor
itself. Whatever else is loud and unsteady counts as speech.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array
from edge_asr.framing import frame
from edge_asr.vad import FRAME_MS, FRAME_SAMPLES

FLOOR_WINDOW_S = 3.0
"""Longer than people speak without a dip; also how long a rise of the noise passes for speech."""

QUIETEST_FLOOR_DB = -60.0
"""Over full scale. Digital silence must not make the hiss that follows it speech."""

FIRST_FLOOR_DB = -45.0
"""Taken for a frame of noise before the first, so that a stream may open with speech."""

EVEN_ODDS_DB = 9.0
"""Level above the floor at which speech is as likely as not."""

SLOPE_DB = 1.5
"""Scale of the logistic curve around it: 4.5 dB more make 95 %."""


class EnergyVad:
    """Streaming stage: (n,) samples at 16 kHz -> (frames,) probabilities."""

    def __init__(self) -> None:
        self._tail: Float32Array
        self._recent_db: deque[float]
        self.reset()

    def push(self, x: Float32Array) -> Float32Array:
        """Take any number of finite samples; judge every whole frame."""
        frames, self._tail = frame(self._tail, x, length_samples=FRAME_SAMPLES, shift_samples=FRAME_SAMPLES)
        levels_db = frame_levels_db(frames)
        floors_db = np.empty_like(levels_db)
        for index, level_db in enumerate(levels_db):
            self._recent_db.append(float(level_db))
            floors_db[index] = max(QUIETEST_FLOOR_DB, min(self._recent_db))
        return speech_probability(levels_db - floors_db)

    def flush(self) -> Float32Array:
        """Nothing: an incomplete frame is not judged."""
        self._tail = np.empty(0, dtype=np.float32)
        return np.empty(0, dtype=np.float32)

    def reset(self) -> None:
        """Forget everything, the noise floor too."""
        self._tail = np.empty(0, dtype=np.float32)
        window_frames = round(FLOOR_WINDOW_S * 1000 / FRAME_MS)
        self._recent_db = deque([FIRST_FLOOR_DB], maxlen=window_frames)


def frame_levels_db(frames: Float32Array) -> Float64Array:
    """Mean power in dB over full scale: (frames, length) -> (frames,), at least -120."""
    power: Float64Array = np.square(frames, dtype=np.float64).mean(axis=1)
    return 10.0 * np.log10(power + 1e-12)


def speech_probability(snr_db: Float64Array) -> Float32Array:
    """Logistic in the level above the floor, in dB: (frames,) -> (frames,)."""
    return (1.0 / (1.0 + np.exp((EVEN_ODDS_DB - snr_db) / SLOPE_DB))).astype(np.float32)
