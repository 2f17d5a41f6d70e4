"""Manifests and recipes: read strictly, mistakes named."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_asr.errors import UsageError
from export.corpus import read_manifest, read_set
from export.recipe import read_recipe

RECIPE = """
name = "tiny"
[corpus]
root = "data"
dev = []
train = [ { name = "a" } ]
[network]
name = "lstm"
options = { hidden = 8 }
[training]
epochs = 1
"""


def test_manifest_lines_become_utterances(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "manifest.jsonl").write_text(
        '{"audio": "b.wav", "text": " Two  words ", "speaker": "s", "split": "dev", '
        '"seconds": 1.5, "age": 9}\n'
        '{"audio": "a.wav", "text": "", "speaker": null, "split": "train", "seconds": 2}\n'
    )
    [dev] = read_set(tmp_path, "set", "dev")
    assert (dev.text, dev.words, dev.speaker, dev.seconds) == ("two words", ["two", "words"], "s", 1.5)
    assert dev.extra == {"age": 9}
    assert dev.audio == tmp_path / "set" / "b.wav"
    [train] = read_set(tmp_path, "set", "train")
    assert train.speaker == "set"


@pytest.mark.parametrize(
    ("held_out", "left"),
    [
        ((), ["Rain_far", "rain_1", "rain_2", "rain_20", "street"]),
        (("rain_2",), ["Rain_far", "rain_1", "rain_20", "street"]),
        (("rain_?", "street"), ["Rain_far", "rain_20"]),
        (("rain_*",), ["Rain_far", "street"]),
        (("*",), []),
        (("rain", "rain_1.wav", "hiss/*"), ["Rain_far", "rain_1", "rain_2", "rain_20", "street"]),
    ],
)
def test_held_out_recordings_are_left_out_by_name(
    tmp_path: Path, held_out: tuple[str, ...], left: list[str]
) -> None:
    files = ("rain_1.wav", "rain_2.flac", "rain_20.wav", "Rain_far.wav", "hiss/street.wav")
    (tmp_path / "noise").mkdir()
    lines = [f'{{"audio": "{file}", "text": ""}}\n' for file in files]
    (tmp_path / "noise" / "manifest.jsonl").write_text("".join(lines))
    kept = read_set(tmp_path, "noise", "train", held_out=held_out)
    assert sorted(u.audio.stem for u in kept) == left
    assert read_set(tmp_path, "noise", "dev", held_out=held_out) == []


@pytest.mark.parametrize("line", ["{", "[]", '{"audio": "a.wav"}', '{"audio": 3, "text": "x"}'])
def test_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"audio": "a.wav", "text": "x"}\n' + line + "\n")
    with pytest.raises(UsageError, match=r"m\.jsonl:2"):
        list(read_manifest(path))


def test_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such manifest"):
        list(read_manifest(tmp_path))


def test_recipe_defaults_and_values(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    recipe = read_recipe(path)
    assert recipe.corpus.train[0].name == "a"
    assert recipe.corpus.speeds == (0.9, 1.0, 1.1)
    assert recipe.network.options == {"hidden": 8}
    assert recipe.corpus.held_out == ()
    path.write_text(RECIPE.replace("dev = []", 'dev = []\nheld_out = ["rain_*", "street"]'))
    assert read_recipe(path).corpus.held_out == ("rain_*", "street")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs = 1", "epoch = 1"), "unknown key 'epoch'"),
        (("epochs = 1", ""), "key 'epochs' is missing"),
        (("epochs = 1", 'epochs = "1"'), "expected int"),
        (("[network]", "[network"), "tiny.toml"),
    ],
)
def test_recipe_mistakes_are_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE.replace(*change))
    with pytest.raises(UsageError, match=message):
        read_recipe(path)


def test_packaged_recipes_are_valid(repository: Path) -> None:
    # Models of words and letters have recipes of their own, tested with export/neural_lm and export/g2p.
    others = {"neural-lm", "g2p"}
    folder = repository / "export" / "recipes"
    recipes = [path for path in sorted(folder.glob("*.toml")) if path.stem not in others]
    assert recipes and all((folder / f"{name}.toml").is_file() for name in others)
    for path in recipes:
        assert read_recipe(path).name == path.stem
