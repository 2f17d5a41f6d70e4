"""Recordings as samples, end to end in one array on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_asr.arrays import Float32Array, Int64Array
from edge_asr.audio.file import read_audio
from export.cache_key import cache_key
from export.corpus import Utterance
from export.nonspeech import nonspeech

Int16Array = NDArray[np.int16]

FULL_SCALE = 32768.0
"""What a sample of 1.0 is kept as."""
_NONSPEECH_S = (1.0, 8.0)


@dataclass(frozen=True)
class Sound:
    """Recording i is ``samples[offsets[i] : offsets[i + 1]]``."""

    samples: Int16Array
    """(n,) of all recordings."""
    offsets: Int64Array
    """(recordings + 1,)."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Int64Array:
        """(recordings,) samples of each."""
        return np.diff(self.offsets)

    @classmethod
    def of(cls, parts: Iterable[Int16Array]) -> Sound:
        """Lay recordings end to end."""
        whole = list(parts)
        offsets = np.cumsum([0, *(part.size for part in whole)], dtype=np.int64)
        return cls(np.concatenate(whole) if whole else np.zeros(0, np.int16), offsets)

    def pieces(self, most: int) -> Sound:
        """The same samples, recordings longer than ``most`` samples cut in pieces of at most that."""
        cuts = [np.arange(a, b, most) for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)]
        return Sound(self.samples, np.concatenate([*cuts, self.offsets[-1:]]))


def cached_sound(cache: Path, name: str, utterances: Sequence[Utterance], sample_rate_hz: int) -> Sound:
    """The recordings of a set, decoded by all processors if the cache does not hold just these files."""
    files = [u.audio for u in utterances]
    what = [[str(path), path.stat().st_size] for path in files]
    decode = partial(_decoded, sample_rate_hz=sample_rate_hz)
    return _cached(cache, name, [what, sample_rate_hz], decode, files)


def cached_nonspeech_sound(cache: Path, count: int, sample_rate_hz: int, seed: int) -> Sound:
    """``count`` sounds of one to eight seconds that nobody speaks (export/nonspeech.py)."""
    make = partial(_made, seed=seed, sample_rate_hz=sample_rate_hz)
    return _cached(cache, "nonspeech", [count, sample_rate_hz, seed], make, range(count))


def _cached(cache: Path, name: str, what: object, make: partial[Int16Array], of: Sequence[object]) -> Sound:
    key = cache_key(what)
    path = cache / f"{name}-sound-{key}"
    if not (path / "offsets.npy").is_file():
        path.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            parts = pool.map(make, of, chunksize=16)
            sound = Sound.of(tqdm(parts, desc=f"{name}, samples", total=len(of), mininterval=5))
        np.save(path / "samples.npy", sound.samples)
        np.save(path / "offsets.npy", sound.offsets)  # last: where they stand the set is whole
    return Sound(np.load(path / "samples.npy", mmap_mode="r"), np.load(path / "offsets.npy"))


def _decoded(path: Path, *, sample_rate_hz: int) -> Int16Array:
    return _whole(read_audio(path, sample_rate_hz))


def _made(index: int, *, seed: int, sample_rate_hz: int) -> Int16Array:
    rng = np.random.default_rng([seed, index])
    return _whole(nonspeech(rng, seconds=rng.uniform(*_NONSPEECH_S), sample_rate_hz=sample_rate_hz))


def _whole(samples: Float32Array) -> Int16Array:
    whole: Int16Array = np.clip(np.rint(samples * FULL_SCALE), -32768, 32767).astype(np.int16)
    return whole
