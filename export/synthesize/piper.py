"""Piper (Open Home Foundation, GPL-3, a package of its own): quicker than Kokoro, one file a voice."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.errors import UsageError


class Piper:
    """A folder of voices, each ``NAME.onnx`` beside ``NAME.onnx.json``; ``NAME#3`` is its fourth speaker."""

    blends = False

    def __init__(self, model: Path | None) -> None:
        files = sorted(model.glob("*.onnx")) if model is not None else []
        if not files:
            raise UsageError("piper: give a folder with voices (NAME.onnx, NAME.onnx.json) as --model")
        import piper

        self._load: Any = lru_cache(maxsize=4)(piper.PiperVoice.load)
        self._settings: Any = piper.SynthesisConfig
        self._files = {path.stem: path for path in files}
        self.voices = tuple(sorted(self._speakers()))

    def _speakers(self) -> list[str]:
        names = []
        for name, path in self._files.items():
            count = self._load(path).config.num_speakers
            names += [name] if count == 1 else [f"{name}#{speaker}" for speaker in range(count)]
        return names

    def speak(self, text: str, voice: str, speed: float) -> tuple[Float32Array, int]:
        """See :class:`~export.synthesize.engine.Engine`."""
        name, _, speaker = voice.partition("#")
        settings = self._settings(length_scale=1 / speed, speaker_id=int(speaker) if speaker else None)
        parts = list(self._load(self._files[name]).synthesize(text, syn_config=settings))
        samples = np.concatenate([np.asarray(part.audio_float_array, dtype=np.float32) for part in parts])
        return samples, int(parts[0].sample_rate)
