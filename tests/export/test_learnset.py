"""What a recipe learns from: one variant for each speed and for each copy of a chain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("pocketsphinx", reason="the dictionary needs pocketsphinx (the extra train)")

from export.learnset import gather, load_learnset
from export.recipe import read_recipe

CHAIN = '[[corpus.distortions]]\nname = "loud"\ncopies = 2\nlevel = { gain_db = [-20, -10] }\n'


def _recipe(folder: Path, chain: str) -> Path:
    (folder / "set").mkdir(exist_ok=True)
    rng, lines = np.random.default_rng(0), []
    for i in range(3):
        soundfile.write(folder / "set" / f"{i}.wav", rng.normal(0, 0.1, 16_000), 16_000)
        lines.append(f'{{"audio": "{i}.wav", "text": "one two", "seconds": 1.0}}')
    (folder / "set" / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    path = folder / "r.toml"
    path.write_text(f"""
name = "r"
[corpus]
root = "{folder}"
dev = []
speeds = [0.9, 1.0]
train = [ {{ name = "set" }} ]
{chain}
[network]
name = "lstm"
options = {{ hidden = 8 }}
[training]
epochs = 1
""")
    return path


def test_distorted_copies_stand_beside_the_speeds(tmp_path: Path) -> None:
    raw, _ = gather(read_recipe(_recipe(tmp_path, CHAIN)), tmp_path / "cache")
    _, labels, sets = raw["set"]
    assert len(sets) == 4 and len(labels) == 3
    energy = [[float(s[i][:, 0].astype(np.float64).mean()) for s in sets] for i in range(3)]
    for slow, plain, one, other in energy:
        assert one < min(slow, plain) and other < min(slow, plain)
        assert one != other, "each copy is drawn anew"


def test_without_distortions_features_are_those_of_before(tmp_path: Path) -> None:
    plain, _ = gather(read_recipe(_recipe(tmp_path, "")), tmp_path / "cache")
    distorted, _ = gather(read_recipe(_recipe(tmp_path, CHAIN)), tmp_path / "cache")
    for before, after in zip(plain["set"][2], distorted["set"][2], strict=False):
        for i in range(3):
            np.testing.assert_array_equal(before[i], after[i])


def test_statistics_count_what_is_heard(tmp_path: Path) -> None:
    plain = load_learnset(read_recipe(_recipe(tmp_path, "")), tmp_path / "cache")
    distorted = load_learnset(read_recipe(_recipe(tmp_path, CHAIN)), tmp_path / "cache")
    assert distorted.front_end.cmvn.mean[0] < plain.front_end.cmvn.mean[0]
    assert len(distorted.train[0].variants) == 4
