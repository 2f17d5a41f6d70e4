"""Features computed once and kept on disk: training reads them many times, audio only once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.config import MfccConfig
from edge_asr.features.mfcc import mfcc
from export.augment import perturb_level, perturb_speed
from export.corpus import Utterance
from export.nonspeech import nonspeech

Float16Array = NDArray[np.float16]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way in which a set is heard."""

    speed: float = 1.0
    """Playback speed."""
    level_db: tuple[float, float] = (0.0, 0.0)
    """Gain is drawn from this range for each utterance."""
    seed: int = 0
    """Where the drawing starts."""


class FeatureSet:
    """Features of many utterances: item i is (frames, coefficients) float16."""

    def __init__(self, frames: Float16Array, offsets: NDArray[np.int64]) -> None:
        self._frames = frames
        self._offsets = offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> Float16Array:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._frames[self._offsets[index] : self._offsets[index + 1]]

    @classmethod
    def of(cls, parts: Iterable[Float32Array | Float16Array]) -> FeatureSet:
        """Hold the given features in memory."""
        half = [x.astype(np.float16) for x in parts]
        return cls(np.concatenate(half), np.cumsum([0, *map(len, half)]))

    @classmethod
    def load(cls, path: Path) -> FeatureSet:
        """Read what ``save`` wrote; frames stay on disk until they are used."""
        return cls(np.load(path / "frames.npy", mmap_mode="r"), np.load(path / "offsets.npy"))

    def save(self, path: Path) -> None:
        """Write to the folder ``path``; the offsets come last, so where they stand the set is whole."""
        np.save(path / "frames.npy", self._frames)
        np.save(path / "offsets.npy", self._offsets)


def cached_features(
    cache: Path, name: str, utterances: list[Utterance], config: MfccConfig, variant: Variant
) -> FeatureSet:
    """MFCC of a set, computed if the cache does not hold just these files, settings and variant."""
    what = [asdict(config), asdict(variant), [[str(u.audio), u.audio.stat().st_size] for u in utterances]]

    def compute() -> Iterator[Float32Array]:
        rng = np.random.default_rng(variant.seed)
        for utterance in utterances:
            samples = read_audio(utterance.audio, config.sample_rate_hz)
            samples = perturb_speed(samples, variant.speed, config.sample_rate_hz)
            yield mfcc(perturb_level(samples, rng.uniform(*variant.level_db)), config)

    return _build(cache, f"{name}-{variant.speed:g}", what, compute, len(utterances))


def cached_nonspeech(cache: Path, count: int, config: MfccConfig, seed: int) -> FeatureSet:
    """MFCC of ``count`` seconds-long sounds that nobody speaks (export/nonspeech.py)."""

    def compute() -> Iterator[Float32Array]:
        rng = np.random.default_rng(seed)
        for _ in range(count):
            seconds = rng.uniform(1.0, 8.0)
            yield mfcc(nonspeech(rng, seconds=seconds, sample_rate_hz=config.sample_rate_hz), config)

    return _build(cache, "nonspeech", [asdict(config), count, seed], compute, count)


def _build(
    cache: Path, name: str, what: object, compute: Callable[[], Iterable[Float32Array]], total: int
) -> FeatureSet:
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
    path = cache / f"{name}-{key}"
    if not (path / "offsets.npy").is_file():
        path.mkdir(parents=True, exist_ok=True)
        FeatureSet.of(tqdm(compute(), total=total, desc=f"features {name}", mininterval=5)).save(path)
    return FeatureSet.load(path)
