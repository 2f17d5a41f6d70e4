"""Kokoro-82M (hexgrad, Apache-2.0) by kokoro-onnx: natural; a core speaks about as fast as a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.errors import UsageError

_ENGLISH = ("af_", "am_", "bf_", "bm_")
"""American and British, women and men; the other voices have the accents of their languages."""


class Kokoro:
    """The model in a folder with ``kokoro.onnx`` and ``voices.bin``."""

    blends = True

    def __init__(self, model: Path | None) -> None:
        if model is None or not all((model / name).is_file() for name in ("kokoro.onnx", "voices.bin")):
            raise UsageError("kokoro: give a folder with kokoro.onnx and voices.bin as --model")
        import kokoro_onnx

        self._kokoro = kokoro_onnx.Kokoro(str(model / "kokoro.onnx"), str(model / "voices.bin"))
        known = sorted(self._kokoro.get_voices())
        self.voices = tuple(v for v in known if v.startswith(_ENGLISH))
        self.accents = tuple(v for v in known if not v.startswith(_ENGLISH))

    def speak(self, text: str, voice: str, speed: float) -> tuple[Float32Array, int]:
        """See :class:`~export.synthesize.engine.Engine`; a blend has the accent of its first voice."""
        first, _, other = voice.partition("+")
        name, _, share = first.partition("*")
        style = self._kokoro.get_voice_style(name)
        if other:
            part = np.float32(share)
            style = part * style + (1 - part) * self._kokoro.get_voice_style(other)
        language = "en-gb" if name.startswith("b") else "en-us"
        # Untrimmed: otherwise 30 to 50 ms are left around the words, less than in any recording.
        samples, rate_hz = self._kokoro.create(text, voice=style, speed=speed, lang=language, trim=False)
        return np.asarray(samples, dtype=np.float32), int(rate_hz)
