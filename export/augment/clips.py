"""Recordings from which random excerpts are cut: noises, and other people's voices."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.errors import UsageError


class Clips:
    """Files that are read when an excerpt of them is first drawn, and then kept (2 bytes a sample).

    Raises
    ------
    UsageError: no files.
    """

    def __init__(self, paths: Sequence[Path], sample_rate_hz: int) -> None:
        if not paths:
            raise UsageError("distortions need recordings to mix in, and the set holds none")
        self._paths = sorted(paths)
        self._rate_hz = sample_rate_hz
        self._read: dict[Path, NDArray[np.float16]] = {}

    @property
    def fingerprint(self) -> str:
        """Changes with the files' names and sizes."""
        files = "".join(f"{path.name} {path.stat().st_size}\n" for path in self._paths)
        return hashlib.sha256(files.encode()).hexdigest()[:12]

    def excerpt(self, samples: int, rng: np.random.Generator) -> tuple[Float32Array, str]:
        """A random piece (samples,) of a random clip, repeated where it is short, and the clip's name."""
        path = self._paths[rng.integers(len(self._paths))]
        if path not in self._read:
            wave = read_audio(path, self._rate_hz)
            # Peak to one: faint recordings would lose bits as float16, and the level is set later anyway.
            peak = np.abs(wave).max(initial=1e-6)
            self._read[path] = (wave / peak).astype(np.float16)
        clip = self._read[path]
        start = int(rng.integers(max(1, clip.size - samples) if clip.size > samples else max(1, clip.size)))
        piece = (
            clip[start : start + samples]
            if clip.size > samples
            else np.resize(np.roll(clip, -start), samples)
        )
        return piece.astype(np.float32), path.stem
