"""The ablation: each stage has one ingredient more, and what is done is not done again."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="the ablation trains with torch")
pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")
pytest.importorskip("pyroomacoustics", reason="rooms need pyroomacoustics (the extra train)")

from benchmarks import ablation, conditions, result  # noqa: E402
from benchmarks.ingredients import STAGES, differences, stages  # noqa: E402
from edge_asr.errors import UsageError  # noqa: E402
from export.augment.room import Room  # noqa: E402
from export.dictionary import Dictionary  # noqa: E402
from export.recipe import Recipe, read_recipe  # noqa: E402

RATE_HZ = 16_000
SETS = {
    "librispeech": ("train", "dev"),
    "commonvoice": ("train", "dev"),
    "speechocean762": ("dev",),
    "grid": ("dev",),
    "synth_kokoro": ("train",),
}

TEXTS = ("see no cat", "no cat", "so i see")
DEVICES = ("speed", "pitch", "room", "band", "level", "codec")


@pytest.fixture(scope="module")
def planned() -> dict[str, Recipe]:
    return stages(read_recipe(ablation.RECIPE))


def test_stages_end_with_the_recipe_itself(planned: dict[str, Recipe]) -> None:
    whole = read_recipe(ablation.RECIPE)
    assert tuple(planned) == STAGES
    assert differences(planned["bigger"], asdict(whole)) == ["name"]
    assert len({recipe.name for recipe in planned.values()}) == len(STAGES)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("real", "synthetic", ["corpus.train"]),
        ("synthetic", "rooms", ["corpus.distortions"]),
        ("rooms", "noise", ["corpus.distortions"]),
        ("noise", "criterion", ["training.criterion.from_epoch", "training.criterion.name"]),
        ("criterion", "bigger", ["network.options.dim", "network.options.ff"]),
    ],
)
def test_each_stage_has_one_ingredient_more(
    planned: dict[str, Recipe], before: str, after: str, changed: list[str]
) -> None:
    assert differences(planned[after], asdict(planned[before])) == sorted([*changed, "name"])


def test_what_the_ingredients_are(planned: dict[str, Recipe]) -> None:
    sets = {name: {chosen.name for chosen in recipe.corpus.train} for name, recipe in planned.items()}
    assert sets["synthetic"] - sets["real"] == {"synth_kokoro"}
    assert planned["real"].corpus.distortions == planned["synthetic"].corpus.distortions == ()
    steps = {
        name: [[step for step, _ in chain.steps()] for chain in planned[name].corpus.distortions]
        for name in ("rooms", "noise")
    }
    assert {step for chain in steps["rooms"] for step in chain} == set(DEVICES)
    assert [[step for step in chain if step in DEVICES] for chain in steps["noise"]] == steps["rooms"]
    assert any("babble" in chain for chain in steps["noise"])
    assert planned["noise"].training.criterion.name == "ctc"
    assert planned["criterion"].training.criterion.name == "ctc-crf"


def test_the_ablation_is_of_what_the_default_model_begins_with(planned: dict[str, Recipe]) -> None:
    model = read_recipe(ablation.RECIPE.with_name("en-base.toml"))
    assert planned["bigger"].network == model.network
    assert planned["bigger"].corpus.held_out == model.corpus.held_out


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few seconds of each set, and a recipe with all ingredients."""
    root = tmp_path_factory.mktemp("workplace")
    rng = np.random.default_rng(0)
    noises = [f"moodist_{name}" for names in conditions.NOISES.values() for name in names]
    files = {
        name: [(f"{split}{i}", text, split) for split in splits for i, text in enumerate(TEXTS)]
        for name, splits in SETS.items()
    }
    files["noise"] = [(name, "", "train") for name in (*noises, "moodist_wind")]
    for folder, recordings in files.items():
        (root / "data" / folder).mkdir(parents=True)
        lines = []
        for name, text, split in recordings:
            soundfile.write(
                root / "data" / folder / f"{name}.wav", rng.normal(0, 0.1, RATE_HZ), RATE_HZ, subtype="PCM_16"
            )
            lines.append(json.dumps({"audio": f"{name}.wav", "text": text, "split": split, "seconds": 1.0}))
        (root / "data" / folder / "manifest.jsonl").write_text("\n".join(lines))
    (root / "tiny.toml").write_text(f"""
name = "tiny"
[corpus]
root = "{root / "data"}"
dev = ["librispeech"]
train = [ {{ name = "librispeech" }}, {{ name = "noise" }}, {{ name = "synth_kokoro" }} ]
speeds = [1.0]
held_out = [ {", ".join(f'"{name}"' for name in noises)} ]
[[corpus.distortions]]
name = "far"
level = {{}}
noise = {{}}
babble = {{}}
[network]
name = "tdnn"
options = {{ dim = 160, ff = 320, channels = 8, contexts = [[1, 1]], mean_every = 1 }}
[training]
epochs = 1
batch_seconds = 4.0
[training.criterion]
name = "ctc-crf"
""")
    return root


_dictionary = cache(Dictionary.load)


def _run(monkeypatch: pytest.MonkeyPatch, workplace: Path, *flags: str) -> dict[str, Any]:
    """Figures that the program leaves behind."""
    folder = workplace / "results"
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(result, "RESULTS", folder)
    # Read once and not by every stage.
    monkeypatch.setattr(Dictionary, "load", _dictionary)
    monkeypatch.setattr(conditions, "_ROOM", Room(t60_s=(0.12, 0.2), rooms=1, seed=977))
    places = {"recipe": workplace / "tiny.toml", "out": workplace / "runs", "data": workplace / "data"}
    places["cache"] = workplace / "cache"
    paths = [text for flag, path in places.items() for text in (f"--{flag}", str(path))]
    monkeypatch.setattr(sys, "argv", ["ablation", *paths, *flags])
    assert ablation.main() == 0
    figures: dict[str, Any] = json.loads((folder / "ablation.json").read_text())["figures"]
    return figures


def test_stages_are_trained_once_and_measured(monkeypatch: pytest.MonkeyPatch, workplace: Path) -> None:
    some = ("real", "criterion", "bigger")
    first = _run(monkeypatch, workplace, "--limit", "1", "--steps", "2", "--stages", *some)
    assert tuple(first["stages"]) == tuple(sorted(some)) and first["limit"] == 1
    for stage in first["stages"].values():
        assert set(stage["phone_error_rate"]) == {"librispeech", "commonvoice", "speechocean762", "grid"}
        assert all(0 <= share <= 2 for share in stage["phone_error_rate_noisy"].values())
        assert set(stage["word_error_rate"]) == {"0", "0.3", "0.6"}
        assert stage["epochs"] == 1 and stage["hours_heard"] >= 0 and stage["seconds"] >= 0
    assert first["stages"]["bigger"]["weights"] > first["stages"]["criterion"]["weights"]

    def train_again(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(ablation, "train_recipe", train_again)
    again = _run(monkeypatch, workplace, "--limit", "1", "--stages", "real")
    assert again["stages"] == {"real": first["stages"]["real"]}
    with pytest.raises(UsageError, match=r"another recipe, which differs in training\.epochs"):
        _run(monkeypatch, workplace, "--epochs", "2")
    with pytest.raises(UsageError, match="no stage is done"):
        _run(monkeypatch, workplace, "--measure-only", "--out", str(workplace / "nowhere"))
