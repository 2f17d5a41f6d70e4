"""Features computed once and kept on disk: training reads them many times, audio only once."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.config import CmvnConfig, MfccConfig
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc
from export.augment.chain import Chain
from export.augment.level import perturb_level
from export.augment.speed import perturb_speed
from export.augment.surroundings import Surroundings
from export.cache_key import cache_key
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
    chain: Chain | None = None
    """Distortions; then speed and level are theirs to change, and those above stay as they are."""


class FeatureSet:
    """Features of many utterances: item i is (frames, coefficients) float16."""

    def __init__(self, frames: Float16Array, offsets: NDArray[np.int64], key: str = "") -> None:
        self._frames = frames
        self._offsets = offsets
        self.key = key
        """What the cache knows it by; empty in memory."""

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
        frames = np.load(path / "frames.npy", mmap_mode="r")
        return cls(frames, np.load(path / "offsets.npy"), key=path.name)

    def save(self, path: Path) -> None:
        """Write to the folder ``path``; the offsets come last, so where they stand the set is whole."""
        np.save(path / "frames.npy", self._frames)
        np.save(path / "offsets.npy", self._offsets)


def cached_features(
    cache: Path,
    name: str,
    utterances: list[Utterance],
    config: MfccConfig,
    variant: Variant,
    around: Surroundings | None = None,
) -> FeatureSet:
    """MFCC of a set, computed if the cache does not hold just these files, settings and variant.

    ``around`` is what the variant's chain needs, if it has one.
    """
    files = [[str(u.audio), u.audio.stat().st_size] for u in utterances]
    what = [asdict(config), _identity(variant, around), files]

    def compute() -> Iterator[Float32Array]:
        rng = np.random.default_rng(variant.seed)
        for utterance in utterances:
            yield mfcc(_heard(utterance, variant, config.sample_rate_hz, rng, around), config)

    label = f"{variant.speed:g}" if variant.chain is None else f"{variant.chain.name}{variant.seed % 100}"
    return _build(cache, f"{name}-{label}", what, compute, len(utterances))


def distorted(
    utterance: Utterance, chain: Chain, seed: int, around: Surroundings
) -> tuple[Float32Array, list[str]]:
    """Samples (n,) of an utterance after a chain, and what was done to it.

    What is drawn depends on the seed and on which utterance it is, not on the ones before it: a set that
    grows keeps its old distortions.
    """
    name = f"{utterance.corpus}/{utterance.audio.name}"
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return chain(read_audio(utterance.audio, around.sample_rate_hz), rng, around)


def _heard(
    utterance: Utterance,
    variant: Variant,
    sample_rate_hz: int,
    rng: np.random.Generator,
    around: Surroundings | None,
) -> Float32Array:
    """Samples (n,) of an utterance as the variant has it."""
    if variant.chain is not None:
        assert around is not None, "a chain comes with its surroundings"
        return distorted(utterance, variant.chain, variant.seed, around)[0]
    samples = perturb_speed(read_audio(utterance.audio, sample_rate_hz), variant.speed, sample_rate_hz)
    return perturb_level(samples, rng.uniform(*variant.level_db))


def _identity(variant: Variant, around: Surroundings | None) -> dict[str, object]:
    """What makes the variant's features what they are; the number of copies does not."""
    if variant.chain is None:
        # As before there were chains, so that caches of then still hold.
        return {k: v for k, v in asdict(variant).items() if k != "chain"}
    values = asdict(dataclasses.replace(variant, chain=dataclasses.replace(variant.chain, copies=1)))
    if variant.chain.vocoder is None:
        del values["chain"]["vocoder"]  # likewise
    clips = (around.noises, around.voices) if around is not None else ()
    return {**values, "mixed in": [c.fingerprint for c in clips if c is not None]}


def cached_nonspeech(cache: Path, count: int, config: MfccConfig, seed: int) -> FeatureSet:
    """MFCC of ``count`` seconds-long sounds that nobody speaks (export/nonspeech.py)."""

    def compute() -> Iterator[Float32Array]:
        rng = np.random.default_rng(seed)
        for _ in range(count):
            seconds = rng.uniform(1.0, 8.0)
            yield mfcc(nonspeech(rng, seconds=seconds, sample_rate_hz=config.sample_rate_hz), config)

    return _build(cache, "nonspeech", [asdict(config), count, seed], compute, count)


def cached_normal(cache: Path, features: FeatureSet, config: CmvnConfig) -> FeatureSet:
    """``features``, which come from the cache, after the running normalisation."""

    def compute() -> Iterator[Float32Array]:
        return (cmvn(features[i].astype(np.float32), config) for i in range(len(features)))

    name = f"{features.key.rpartition('-')[0]}-normal"
    return _build(cache, name, [features.key, asdict(config)], compute, len(features))


def _build(
    cache: Path, name: str, what: object, compute: Callable[[], Iterable[Float32Array]], total: int
) -> FeatureSet:
    key = cache_key(what)
    path = cache / f"{name}-{key}"
    if not (path / "offsets.npy").is_file():
        path.mkdir(parents=True, exist_ok=True)
        FeatureSet.of(tqdm(compute(), total=total, desc=f"features {name}", mininterval=5)).save(path)
    return FeatureSet.load(path)
