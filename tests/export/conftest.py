"""A tiny trained network with everything that a run leaves, and the recordings that it knows.

It learns in seconds to name tones: a language of five 'phones', each a chord, with silence for blank.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from edge_asr.arrays import Float32Array, Int64Array
from edge_asr.config import CmvnConfig, MfccConfig

BINS, TOKENS = 13, ("<blk>", "AA", "B", "K", "IY", "T")
MFCC = MfccConfig(cepstra=BINS)
CMVN = CmvnConfig(mean=(-70.0,) + (0.0,) * (BINS - 1), scale=(0.02,) + (0.1,) * (BINS - 1))
_CHORDS_HZ = ((300, 2200), (450, 900), (700, 1300), (1700, 3300), (4000, 5500))
_NETWORK = {"bins": BINS, "outputs": 6, "channels": 16, "hidden": 32, "layers": 2, "lookahead_frames": 8}
_DELAY = 2
"""Output frames by which the answers come late."""


def speak(seed: int, *, tones: int = 12) -> tuple[Float32Array, Int64Array]:
    """Chords and pauses of 50 to 150 ms with some noise: samples (n,) and the token of each sample (n,)."""
    rng = np.random.default_rng(seed)
    sounds, tokens = [], []
    for token in rng.integers(0, len(TOKENS), tones):
        n = int(rng.integers(800, 2400))
        t = np.arange(n) / 16_000
        chord = [np.sin(2 * np.pi * hz * t) for hz in _CHORDS_HZ[token - 1]] if token else [np.zeros(n)]
        sounds.append(0.2 * np.sum(chord, axis=0) + rng.normal(0, 0.003, n))
        tokens.append(np.full(n, token))
    return np.concatenate(sounds).astype(np.float32), np.concatenate(tokens)


def features(seed: int) -> Float32Array:
    """Normalised features (frames, bins) of :func:`speak`."""
    from edge_asr.features.cmvn import cmvn
    from edge_asr.features.mfcc import mfcc

    return cmvn(mfcc(speak(seed)[0], MFCC), CMVN)


@functools.cache
def trained_weights() -> dict[str, Any]:
    """Weights of the tiny network after a few seconds of learning."""
    return train_tiny("lstm", _NETWORK)


def train_tiny(name: str, options: dict[str, Any], *, steps: int = 60) -> dict[str, Any]:
    """Weights of a network that has learned to name tones."""
    import torch

    from export.net import create_network

    torch.manual_seed(1)
    network: Any = create_network(name, {**options, "dropout": 0.0})
    frames = 90
    inputs, labels = [], []
    for seed in range(100, 148):
        x, tokens = features(seed)[:frames], speak(seed)[1]
        x = np.pad(x, ((0, frames - len(x)), (0, 0)))
        centres = (np.arange(frames // 3) - _DELAY) * 3 * 160 + 360
        inputs.append(torch.from_numpy(x))
        labels.append(
            torch.from_numpy(np.where(centres >= 0, tokens[np.minimum(centres, len(tokens) - 1)], 0))
        )
    batch, target = torch.stack(inputs), torch.stack(labels)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(steps):
        log_probs, _ = network(batch)
        loss = torch.nn.functional.nll_loss(log_probs.flatten(0, 1), target.flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.2, "the tiny network did not learn; tests on it would prove nothing"
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def make_checkpoint(weights: dict[str, Any] | None = None, **changes: Any) -> Any:
    """A checkpoint of the tiny network; ``changes`` replace fields."""
    pytest.importorskip("torch", reason="needs torch (the extra train)")
    from export.checkpoint import Checkpoint, FrontEnd

    fields: dict[str, Any] = {
        "network": "lstm",
        "config": dict(_NETWORK),
        "weights": trained_weights() if weights is None else weights,
        "front_end": FrontEnd(mfcc=MFCC, cmvn=CMVN),
        "tokens": TOKENS,
        "recipe": {
            "name": "tiny",
            "corpus": {"train": [{"name": "librispeech"}, {"name": "noise"}], "dev": ["grid"]},
        },
        "history": [
            {"epoch": 1, "loss": 2.0, "per_grid": 0.5, "seconds": 1800.0, "machine": "a machine"},
            {"epoch": 2, "loss": 1.0, "per_grid": 0.25, "seconds": 1800.0, "machine": "a machine"},
        ],
    }
    return Checkpoint(**(fields | changes))


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with model.pt and both graphs, made by the command line. Do not write into it."""
    checkpoint = make_checkpoint()
    pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    from export.__main__ import main
    from export.checkpoint import save_checkpoint

    directory = tmp_path_factory.mktemp("runs") / "tiny"
    directory.mkdir()
    save_checkpoint(directory / "model.pt", checkpoint)
    assert main(["convert", str(directory), "--chunk-frames", "6"]) == 0
    return directory


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of recordings that the tiny network knows: three speakers, two files each."""
    folder = tmp_path_factory.mktemp("corpora") / "tones"
    folder.mkdir()
    lines = []
    for seed in range(6):
        samples, _ = speak(seed)
        soundfile.write(folder / f"{seed}.wav", samples, 16_000)
        line = {"audio": f"{seed}.wav", "text": "tones", "speaker": f"s{seed % 3}", "split": "dev"}
        lines.append(json.dumps(line | {"seconds": len(samples) / 16_000}))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "manifest.jsonl"


@pytest.fixture(scope="session")
def tiny_checkpoint() -> Callable[..., Any]:
    """:func:`make_checkpoint`."""
    return make_checkpoint


@pytest.fixture(scope="session")
def tone_features() -> list[Float32Array]:
    """Features of four recordings that the tiny network knows."""
    return [features(seed) for seed in range(4)]
