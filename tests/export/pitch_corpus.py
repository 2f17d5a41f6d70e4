"""A little corpus in which each phone is a steady pitch: enough for a network to learn in seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16_000
PITCHES = {"AY": 300, "K": 700, "AE": 1200, "T": 2200, "S": 3500, "OW": 5000, "N": 450, "IY": 1700}
WORDS = {"i": ["AY"], "cat": ["K", "AE", "T"], "so": ["S", "OW"], "see": ["S", "IY"], "no": ["N", "OW"]}


def write_pitch_corpus(
    folder: Path,
    *,
    utterances: int,
    train: int,
    words: Mapping[str, Sequence[str]] = WORDS,
    pitches: Mapping[str, int] = PITCHES,
) -> None:
    """Write a set of three-word utterances into ``folder``; those after the first ``train`` are dev."""
    (folder / "audio").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for i in range(utterances):
        said = rng.choice(list(words), size=3).tolist()
        tones = [np.zeros(1600)]
        for word in said:
            t = np.arange(1600) / RATE_HZ
            tones += [0.3 * np.sin(2 * np.pi * pitches[phone] * t) for phone in words[word]]
            tones.append(np.zeros(800))
        samples = np.concatenate(tones) + 0.003 * rng.standard_normal(sum(map(len, tones)))
        soundfile.write(folder / "audio" / f"{i}.wav", samples, RATE_HZ)
        line = {"audio": f"audio/{i}.wav", "text": " ".join(said), "split": "train" if i < train else "dev"}
        lines.append(json.dumps({**line, "seconds": len(samples) / RATE_HZ}))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
