"""Chord speech for the GMMs: known phones at known times, features in memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_asr.config import CmvnConfig, MfccConfig
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc
from export.cache import FeatureSet
from export.checkpoint import FrontEnd
from export.gmm.config import GmmConfig, MonophoneConfig, TriphoneConfig
from export.gmm.speech import Spoken
from export.gmm.training import GmmTraining

NAMES = ("<blk>", "AA", "B", "K", "IY", "T")
_CHORDS_HZ = ((300, 2200), (450, 900), (700, 1300), (1700, 3300), (4000, 5500))
_CONFIG = MfccConfig(cepstra=13)
_NORMAL = CmvnConfig(mean=(-70.0,) + (0.0,) * 12, scale=(0.02,) + (0.1,) * 12)
FRONT_END = FrontEnd(mfcc=_CONFIG, cmvn=_NORMAL)
SETTINGS = GmmConfig(
    monophone=MonophoneConfig(passes=6, grow_until=3, gaussians=40),
    triphone=TriphoneConfig(passes=3, grow_until=2, gaussians=70, leaves=24, min_frames=20, min_gain=10.0),
    lm_scale=1.0,
)


@functools.cache
def _chords(seed: int) -> tuple[Any, list[int], list[float]]:
    """Normalised features, labels, and when each phone begins (in s): no phone follows itself."""
    rng = np.random.default_rng(seed)
    sounds, labels, begins, at = [rng.normal(0, 0.003, 1600)], [], [], 1600
    for _ in range(10):
        token = int(rng.integers(0, len(NAMES)))
        if token and labels and token == labels[-1]:
            token = token % (len(NAMES) - 1) + 1
        n = int(rng.integers(900, 2400))
        t = np.arange(n) / 16_000
        tones = [np.sin(2 * np.pi * hz * t) for hz in _CHORDS_HZ[token - 1]] if token else [np.zeros(n)]
        sounds.append(0.2 * np.sum(tones, axis=0) + rng.normal(0, 0.003, n))
        if token:
            labels.append(token)
            begins.append(at / 16_000)
        at += n
    sounds.append(rng.normal(0, 0.003, 1600))
    samples = np.concatenate(sounds).astype(np.float32)
    return cmvn(mfcc(samples, _CONFIG), _NORMAL), labels, begins


def spoken(seeds: range) -> list[Spoken]:
    """Utterances of chords."""
    held = FeatureSet.of([_chords(seed)[0] for seed in seeds])
    return [
        Spoken(f"chords/{seed}/0", tuple(labels), (True,) * len(labels), held, i)
        for i, seed in enumerate(seeds)
        for labels in [_chords(seed)[1]]
    ]


@functools.cache
def _trained() -> SimpleNamespace:
    training = GmmTraining(SETTINGS, FRONT_END, NAMES, spoken(range(40)), {"chords": spoken(range(90, 95))})
    saved: list[Any] = []
    model = training.fit(None, saved.append)
    return SimpleNamespace(training=training, model=model, saved=saved, settings=SETTINGS)


@pytest.fixture(scope="session")
def chord_gmm() -> SimpleNamespace:
    """A GMM of chord speech: ``training``, ``model``, every model ``saved`` on the way, ``settings``."""
    return _trained()


@pytest.fixture(scope="session")
def chord_speech() -> SimpleNamespace:
    """``spoken(range of seeds)``, ``begins(seed)`` in s, ``front_end`` and ``names``."""
    begins: Callable[[int], list[float]] = lambda seed: _chords(seed)[2]  # noqa: E731
    return SimpleNamespace(spoken=spoken, begins=begins, front_end=FRONT_END, names=NAMES)
