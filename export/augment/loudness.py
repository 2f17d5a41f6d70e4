"""How loud speech is while somebody speaks."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Float32Array

_FRAME_S = 0.02
_MARGIN_DB = 15.9
_SILENCE = 1e-12
"""Power below which there is nothing but rounding: -120 dB."""


def active_power(samples: Float32Array, sample_rate_hz: int) -> float:
    """Mean power of the active part: (n,) -> a number, 0 for silence.

    A frame is active where it lies less than 15.9 dB below the level of the active frames, which is found by
    repetition. Pauses thus do not count, however long they are.
    Source: ITU-T P.56 (2011), method B, with frames of 20 ms instead of its envelope.
    """
    length = round(_FRAME_S * sample_rate_hz)
    wave = np.asarray(samples, dtype=np.float64)
    wave = np.pad(wave, (0, -wave.size % length))
    powers = (wave.reshape(-1, length) ** 2).mean(axis=1)  # (n,) -> (frames, samples) -> (frames,)
    power = float(powers.mean()) if powers.size else 0.0
    for _ in range(50):
        active = powers[powers > max(power * 10 ** (-_MARGIN_DB / 10), _SILENCE)]
        found = float(active.mean()) if active.size else 0.0
        if found == power:
            break
        power = found
    return power
