"""Speech recognition on the device: audio in, events out.

::

    recognizer = Recognizer.load("en-small")
    stream = recognizer.stream(sample_rate_hz=48_000)
    for block in microphone:  # float32 (n,), any n
        for event in stream.accept_waveform(block):
            ...
    for event in stream.finish():
        ...

``Recognizer`` and ``Stream`` are imported on first use, so that this import stays as light as numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_asr.errors import EdgeAsrError
from edge_asr.events import Final, Gap, Intent, Partial, Rejected, SpeechStarted, Word

if TYPE_CHECKING:
    from edge_asr.recognizer import Recognizer
    from edge_asr.stream import Stream

__version__ = "0.1.0"

__all__ = [
    "EdgeAsrError",
    "Final",
    "Gap",
    "Intent",
    "Partial",
    "Recognizer",
    "Rejected",
    "SpeechStarted",
    "Stream",
    "Word",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Resolve the names that pull in the inference engine (PEP 562)."""
    if name in ("Recognizer", "Stream"):
        from edge_asr import recognizer

        return getattr(recognizer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
