"""Is anyone speaking? How likely (``webrtc.py``, ``energy.py``) apart from start and end (``segmenter.py``).

A probability stage takes (n,) samples at 16 kHz and gives one probability between 0 and 1 for every whole
frame of 20 ms; an incomplete last frame gets none.
"""

from __future__ import annotations

from importlib import import_module

from edge_asr.errors import UsageError
from edge_asr.stage import Stage

SAMPLE_RATE_HZ = 16_000
FRAME_MS = 20
FRAME_SAMPLES = SAMPLE_RATE_HZ * FRAME_MS // 1000

VADS = {
    "webrtc": "edge_asr.vad.webrtc:WebRtcVad",
    "energy": "edge_asr.vad.energy:EnergyVad",
}
"""Name -> class. ``webrtc`` knows speech from noise better; ``energy`` needs nothing but numpy."""


def create_vad(name: str) -> Stage:
    """Make a new probability stage with its default settings.

    Raises
    ------
    UsageError: no such name.
    MissingExtraError: the package behind it is not installed.
    """
    if name not in VADS:
        raise UsageError(f"no voice activity detector {name!r}: choose one of {', '.join(VADS)}")
    module, _, noun = VADS[name].partition(":")
    vad: Stage = getattr(import_module(module), noun)()
    return vad
