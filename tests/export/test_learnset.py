"""What a recipe learns from: one variant for each speed and for each copy of a chain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("pocketsphinx", reason="the dictionary needs pocketsphinx (the extra train)")

from edge_asr.errors import UsageError
from export.corpus import Utterance
from export.dictionary import Dictionary
from export.learnset import (
    TOKENS,
    gather,
    load_learnset,
    measure_front_end,
    phone_labels,
    share_of,
    spoken_phones,
)
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
    cache = tmp_path / "cache"
    plain = measure_front_end(read_recipe(_recipe(tmp_path, "")), cache)
    recipe = read_recipe(_recipe(tmp_path, CHAIN))
    distorted = measure_front_end(recipe, cache)
    assert distorted.cmvn.mean[0] < plain.cmvn.mean[0]
    data = load_learnset(recipe, cache, distorted)
    assert data.front_end == distorted and len(data.train[0].variants) == 4


def test_processes_fill_the_cache_together(tmp_path: Path) -> None:
    recipe = read_recipe(_recipe(tmp_path, CHAIN))
    shares = [share_of(recipe, rank, 2) for rank in range(2)]
    assert [[s.name for s in share.corpus.train] for share in shares] == [["set"], []]
    front_end = measure_front_end(shares[0], tmp_path / "cache")
    load_learnset(shares[0], tmp_path / "cache", front_end)
    filled = sorted(tmp_path.glob("cache/*/frames.npy"))
    load_learnset(recipe, tmp_path / "cache", front_end)
    assert sorted(tmp_path.glob("cache/*/frames.npy")) == filled, "the share's work is the whole's"


def test_held_out_recordings_are_not_learned(tmp_path: Path) -> None:
    every, _ = gather(read_recipe(_recipe(tmp_path, CHAIN)), tmp_path / "cache")
    raw, _ = gather(read_recipe(_recipe(tmp_path, 'held_out = ["1"]\n' + CHAIN)), tmp_path / "cache")
    _, labels, sets = raw["set"]
    assert len(labels) == 2 and [len(s) for s in sets] == [2] * 4
    for kept, before in zip(sets[1:], every["set"][2][1:], strict=True):  # levels of 0.9 are drawn in turn
        np.testing.assert_array_equal(kept[0], before[0])
        np.testing.assert_array_equal(kept[1], before[2])


def test_held_out_recordings_are_not_mixed_in(tmp_path: Path) -> None:
    """They may be of a set that is only mixed in."""
    (tmp_path / "hum").mkdir()
    for name, amplitude in (("kept", 0.1), ("rain_1", 0.0)):
        soundfile.write(tmp_path / "hum" / f"{name}.wav", np.full(16_000, amplitude), 16_000)
    lines = [f'{{"audio": "{name}.wav", "text": ""}}\n' for name in ("kept", "rain_1")]
    chain = CHAIN + 'noise = { set = "hum", probability = 1.0 }\n'

    def heard(manifest: list[str], more: str) -> list[float]:
        (tmp_path / "hum" / "manifest.jsonl").write_text("".join(manifest))
        raw, _ = gather(read_recipe(_recipe(tmp_path, more + chain)), tmp_path / "cache")
        return [float(s[i].astype(np.float64).sum()) for s in raw["set"][2] for i in range(3)]

    without = heard(lines, 'held_out = ["rain_*"]\n')
    assert without == heard(lines[:1], "") != heard(lines, "")
    with pytest.raises(UsageError, match="recordings to mix in"):
        heard(lines, 'held_out = ["rain_*", "kept"]\n')


def test_a_set_may_lie_elsewhere(tmp_path: Path) -> None:
    path = _recipe(tmp_path, "")
    (tmp_path / "own").mkdir()
    (tmp_path / "set").rename(tmp_path / "own" / "set")
    path.write_text(path.read_text().replace('name = "set"', f'name = "set", root = "{tmp_path}/own"'))
    raw, _ = gather(read_recipe(path), tmp_path / "cache")
    assert len(raw["set"][1]) == 3


@pytest.mark.parametrize(("most", "measured"), [(None, 5), (9, 5), (3, 3), (2, 2), (1, 1)])
def test_at_most_so_many_dev_utterances_are_measured(tmp_path: Path, most: int | None, measured: int) -> None:
    path = _recipe(tmp_path, "")
    (tmp_path / "heard").mkdir()
    rng, lines = np.random.default_rng(1), []
    for i in range(5):
        soundfile.write(tmp_path / "heard" / f"{i}.wav", rng.normal(0, 0.1, 16_000), 16_000)
        lines.append(f'{{"audio": "{i}.wav", "text": "one", "split": "dev", "seconds": 1.0}}')
    (tmp_path / "heard" / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    limit = "" if most is None else f"\ndev_utterances = {most}"
    path.write_text(path.read_text().replace("dev = []", f'dev = ["heard"]{limit}'))
    recipe, cache = read_recipe(path), tmp_path / "cache"
    data = load_learnset(recipe, cache, measure_front_end(recipe, cache))
    assert len(data.dev["heard"]) == measured


def test_a_manifest_may_tell_how_a_word_was_said() -> None:
    dictionary = Dictionary({"a": [("AH",)], "z": [("Z", "IY")]})
    told = Utterance(
        audio=Path("x.wav"), text="z a", speaker="s", split="train", seconds=1.0, corpus="c",
        extra={"said": {"z": "Z EH D"}},
    )  # fmt: skip
    assert spoken_phones(told, dictionary) == [("Z", "EH", "D"), ("AH",)]
    labels = phone_labels(told, dictionary)
    assert labels is not None and [TOKENS[label] for label in labels] == ["Z", "EH", "D", "AH"]
