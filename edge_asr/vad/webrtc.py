"""Speech probability by the voice activity detector of WebRTC: small Gaussian models of six bands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.audio import pcm
from edge_asr.errors import MissingExtraError, UsageError
from edge_asr.framing import frame
from edge_asr.vad import FRAME_SAMPLES, SAMPLE_RATE_HZ


class WebRtcVad:
    """Streaming stage: (n,) samples at 16 kHz -> (frames,) probabilities, which are 0 or 1 here.

    Parameters
    ----------
    aggressiveness: 0 (lets most through) to 3 (asks for the clearest speech).

    Raises
    ------
    UsageError: another aggressiveness.
    MissingExtraError: webrtcvad is not installed.
    """

    def __init__(self, aggressiveness: int = 2) -> None:
        if aggressiveness not in range(4):
            raise UsageError(f"aggressiveness must be 0, 1, 2 or 3, got {aggressiveness}")
        try:
            import webrtcvad
        except ImportError:
            raise MissingExtraError("webrtcvad-wheels", "microphone", "the detector 'webrtc'") from None
        self._make: Callable[[], Any] = partial(webrtcvad.Vad, aggressiveness)
        self._tail: Float32Array
        self.reset()

    def push(self, x: Float32Array) -> Float32Array:
        """Take any number of finite samples; judge every whole frame."""
        frames, self._tail = frame(self._tail, x, length_samples=FRAME_SAMPLES, shift_samples=FRAME_SAMPLES)
        speech = [self._vad.is_speech(pcm.to_bytes(one), SAMPLE_RATE_HZ) for one in frames]
        return np.array(speech, dtype=np.float32)

    def flush(self) -> Float32Array:
        """Nothing: an incomplete frame is not judged."""
        self._tail = np.empty(0, dtype=np.float32)
        return np.empty(0, dtype=np.float32)

    def reset(self) -> None:
        """Forget everything, the learnt noise too."""
        self._vad = self._make()
        self._tail = np.empty(0, dtype=np.float32)
