"""``python -m export prune``: from a trained network to a smaller one that knows as much."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pitch_corpus import WORDS, write_pitch_corpus

torch = pytest.importorskip("torch", reason="training needs torch")

from edge_asr.errors import UsageError  # noqa: E402
from export.__main__ import main  # noqa: E402
from export.checkpoint import Checkpoint, load_checkpoint  # noqa: E402
from export.prune.cost import cost  # noqa: E402
from export.prune.masks import masks, two_of_four  # noqa: E402
from export.recipe import read_recipe  # noqa: E402
from export.recipe_text import recipe_text  # noqa: E402

OPTIONS = (
    "{ channels = 16, dim = 24, ff = 48, contexts = [[1, 1], [1, 0]], dropout = 0.0, lookahead_frames = 9 }"
)
RECIPE = """
name = "{name}"
[corpus]
root = "{root}/data"
dev = ["pitches"]
train = [ {{ name = "pitches" }} ]
speeds = [1.0]
[network]
name = "tdnn"
options = {options}
{prune}
[training]
epochs = {epochs}
batch_seconds = 2.0
peak_rate = 0.003
warmup_steps = 4
average_decay = 0.9
bf16 = false
[training.spec_augment]
band_masks = 0
time_masks_per_second = 0.0
"""


def write(root: Path, name: str, *, prune: str = "", options: str = OPTIONS, epochs: int = 2) -> str:
    path = root / f"{name}.toml"
    path.write_text(RECIPE.format(name=name, root=root, prune=prune, options=options, epochs=epochs))
    return str(path)


def table(root: Path, **values: object) -> str:
    settings = {"start": f"{root}/runs/whole/model.pt", "utterances": 4, "batches": 4, **values}
    if not {"budget_macs", "budget_bytes"} & {*settings}:
        settings["budget_macs"] = 200_000
    return "[prune]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())


def prune(root: Path, recipe: str, *flags: str) -> int:
    out = root / "runs" / Path(recipe).stem
    return main(["prune", recipe, "--out", str(out), "--cache", str(root / "cache"), *flags])


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a little corpus, and a network that learned it."""
    root = tmp_path_factory.mktemp("workplace")
    words = {word: WORDS[word] for word in ("i", "so", "see")}
    write_pitch_corpus(root / "data" / "pitches", utterances=40, train=32, words=words)
    recipe = write(root, "whole", epochs=32)
    flags = ["--out", str(root / "runs" / "whole"), "--cache", str(root / "cache")]
    assert main(["train", recipe, *flags]) == 0
    assert whole(root).history[-1]["per_pitches"] < 0.15
    return root


def whole(root: Path) -> Checkpoint:
    return load_checkpoint(root / "runs" / "whole" / "model.pt")


def macs(checkpoint: Checkpoint) -> float:
    return cost(checkpoint.network, checkpoint.config, frame_shift_ms=10).macs_per_second


@pytest.fixture(scope="module")
def pruned(workplace: Path) -> tuple[Path, dict[str, Any]]:
    """A run of two rounds, and its report."""
    prunes = table(workplace, rounds=2, budget_macs=0.5 * macs(whole(workplace)))
    assert prune(workplace, write(workplace, "half", prune=prunes, epochs=4)) == 0
    out = workplace / "runs" / "half"
    return out, json.loads((out / "pruning.json").read_text())


def test_the_budget_is_met_and_what_was_lost_is_learned_again(
    pruned: tuple[Path, dict[str, Any]], workplace: Path
) -> None:
    out, report = pruned
    names = ["before", "cut 1", "tuned 1", "cut 2", "tuned 2"]
    assert [stage["name"] for stage in report["stages"]] == names
    before, first, _, second, after = report["stages"]
    full = macs(whole(workplace))
    assert before["macs_per_second"] == full
    assert 0.6 * full < first["macs_per_second"] <= full * 0.5**0.5
    assert 0.4 * full < second["macs_per_second"] <= 0.5 * full
    assert after["macs_per_second"] == second["macs_per_second"] == macs(load_checkpoint(out / "model.pt"))
    assert after["int8_bytes"] < before["int8_bytes"]
    assert after["phone_error"]["pitches"] < 0.2
    assert report["widths"].keys() <= {"ff", "channels"}
    for number in (1, 2):
        folder = out / f"round-{number}"
        assert (folder / "sensitivity.png").read_bytes().startswith(b"\x89PNG")
        curves = json.loads((folder / "sensitivity.json").read_text())["curves"]
        assert [curve["group"] for curve in curves] == ["channels", "ff 0", "ff 1"]


def test_the_history_tells_of_all_rounds(pruned: tuple[Path, dict[str, Any]]) -> None:
    checkpoint = load_checkpoint(pruned[0] / "model.pt")
    assert [entry["epoch"] for entry in checkpoint.history] == [1, 2, 3, 4, 5]
    assert checkpoint.recipe["prune"]["rounds"] == 2
    kept = {**checkpoint.recipe["network"]["options"], "bins": 40, "outputs": 40}
    assert kept == checkpoint.config


def test_graphs_step_times_are_told(pruned: tuple[Path, dict[str, Any]]) -> None:
    pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    times = pruned[1]["step_ms"]
    assert [*times] == ["before, float", "before, int8", "pruned, float", "pruned, int8"]
    assert all(0 < ms < 50 for ms in times.values())


def test_what_is_left_is_trained_on_by_the_recipe_that_was_written(
    pruned: tuple[Path, dict[str, Any]], workplace: Path
) -> None:
    path = pruned[0] / "recipe.toml"
    recipe = read_recipe(path)
    assert recipe.prune is None and recipe.training.start == str(pruned[0] / "model.pt")
    flags = ["--out", str(workplace / "runs" / "onward"), "--cache", str(workplace / "cache"), "--steps", "2"]
    assert main(["train", str(path), *flags]) == 0
    onward = load_checkpoint(workplace / "runs" / "onward" / "model.pt")
    assert onward.config == load_checkpoint(pruned[0] / "model.pt").config


def test_a_run_that_is_over_changes_nothing(
    pruned: tuple[Path, dict[str, Any]], workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = pruned
    before = load_checkpoint(out / "model.pt").weights
    starts = (out / "round-1" / "start.pt").stat().st_mtime_ns
    assert prune(workplace, str(workplace / "half.toml"), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["stages"] == report["stages"]
    assert (out / "round-1" / "start.pt").stat().st_mtime_ns == starts
    for name, weights in load_checkpoint(out / "model.pt").weights.items():
        assert torch.equal(weights, before[name])
    text = (workplace / "half.toml").read_text()
    other = workplace / "other" / "half.toml"
    other.parent.mkdir(exist_ok=True)
    other.write_text(text.replace("batches = 4", "batches = 5"))
    assert prune(workplace, str(other)) == UsageError.exit_code
    assert "was begun with another prune: use --restart" in capsys.readouterr().err


def test_it_goes_on_where_it_was_stopped(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from export.train import Trainer

    prunes = table(workplace, rounds=2, importance="magnitude", sensitivity=False)
    assert prune(workplace, write(workplace, "through", prune=prunes, epochs=1)) == 0
    stopped, epochs, original = write(workplace, "stopped", prune=prunes, epochs=1), [], Trainer._pass

    def interrupted(self: Trainer, *given: Any) -> torch.Tensor:
        epochs.append(1)
        if len(epochs) == 2:
            raise KeyboardInterrupt
        return original(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_pass", interrupted)
        assert prune(workplace, stopped) == 130
    assert not (workplace / "runs" / "stopped" / "model.pt").exists()
    assert prune(workplace, stopped) == 0
    one, other = (load_checkpoint(workplace / "runs" / name / "model.pt") for name in ("through", "stopped"))
    assert one.config == other.config
    for key, weights in one.weights.items():
        assert torch.equal(weights, other.weights[key]), key


def test_one_cut_needs_no_training_speech(workplace: Path) -> None:
    prunes = table(workplace, importance="magnitude", parts=["ff", "taps", "dim", "channels"])
    recipe = write(workplace, "rough", prune=prunes)
    assert prune(workplace, recipe, "--no-tuning", "--share", "0.7") == 0
    rough = load_checkpoint(workplace / "runs" / "rough" / "model.pt")
    assert macs(rough) <= 0.7 * macs(whole(workplace))
    assert rough.history == []
    assert rough.front_end == whole(workplace).front_end


def test_two_processes_prune_together(workplace: Path) -> None:
    recipe = write(workplace, "pair", prune=table(workplace, rounds=2, sensitivity=False), epochs=1)
    run_dir = workplace / "runs" / "pair"
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "export", "prune", recipe, "--out", str(run_dir), "--cache", str(workplace / "cache")),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr[-2000:]
    checkpoint = load_checkpoint(run_dir / "model.pt")
    assert [entry["processes"] for entry in checkpoint.history] == [2] * 2
    assert macs(checkpoint) <= 200_000


@pytest.mark.parametrize("kind", ["unstructured", "2:4"])
def test_masks_hold_and_nothing_gets_cheaper(kind: str, workplace: Path) -> None:
    budget = 0.4 * macs(whole(workplace))
    recipe = write(workplace, f"masked-{kind[:1]}", prune=table(workplace, budget_macs=budget), epochs=1)
    assert prune(workplace, recipe, "--kind", kind) == 0
    out = workplace / "runs" / Path(recipe).stem
    start, end = (load_checkpoint(out / part) for part in ("round-1/start.pt", "model.pt"))
    products = [name for name, w in start.weights.items() if name.endswith("weight") and w.ndim == 2]
    share = sum(int((start.weights[n] == 0).sum()) for n in products) / sum(
        start.weights[n].numel() for n in products
    )
    assert share == pytest.approx({"unstructured": 0.6, "2:4": 0.5}[kind], abs=0.01)
    for name in products:
        gone = start.weights[name] == 0
        assert bool((end.weights[name][gone] == 0).all()), name
        assert not torch.equal(end.weights[name], start.weights[name]), f"{name} has learned nothing"
    before, *_, after = json.loads((out / "pruning.json").read_text())["stages"]
    assert after["macs_per_second"] == before["macs_per_second"]
    assert after["int8_bytes"] == before["int8_bytes"]
    assert after["nonzero"] < 0.75 * before["nonzero"]


def test_two_of_four_neighbours_stay() -> None:
    mask = two_of_four(torch.tensor([[3.0, -4.0, 1.0, 2.0, 0.1, 0.2, -0.3, 0.0, 9.0]]))
    assert mask.tolist() == [[True, True, False, False, False, True, True, False, True]]


def test_the_smallest_of_all_go_first() -> None:
    weights = {"a": torch.tensor([[1.0, -2.0]]), "b": torch.tensor([[0.5, 3.0]])}
    found = masks("unstructured", weights, 0.5)
    assert {name: mask.tolist() for name, mask in found.items()} == {
        "a": [[False, True]],
        "b": [[False, True]],
    }
    assert all(bool(mask.all()) for mask in masks("unstructured", weights, 0.0).values())
    with pytest.raises(UsageError, match="unknown kind 'some'; known: structured, unstructured, 2:4"):
        masks("some", weights, 0.5)


def test_sensitivity_alone_prunes_nothing(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = write(workplace, "spare", prune=table(workplace))
    assert prune(workplace, recipe, "--sensitivity", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    groups = [curve["group"] for curve in report["curves"]]
    assert groups == ["channels", "ff 0", "ff 1", "taps 0", "taps 1", "dim"]
    losses = {curve["group"]: [cut["loss"] for cut in curve["cut"]] for curve in report["curves"]}
    assert report["whole"]["loss"] < losses["dim"][0] < losses["dim"][2]
    out = workplace / "runs" / "spare"
    assert {path.name for path in out.iterdir()} == {"sensitivity.json", "sensitivity.png"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget_bytes": 5, "budget_macs": 5}, "give one of budget_macs and budget_bytes"),
        ({"budget_bytes": 0}, "budget_bytes must be above 0, got 0"),
        ({"budget_macs": 10}, "the budget is 10, but what must stay costs"),
        ({"importance": "hunch"}, "importance must be one of magnitude, taylor, got 'hunch'"),
        ({"rounds": 0}, "rounds must be at least 1, got 0"),
        ({"least_share": 1.0}, "least_share must lie between 0 and 1, got 1.0"),
        ({"parts": ["heads"]}, "network 'tdnn' has no part 'heads'; parts: channels, ff, taps, dim"),
        ({"start": "nowhere.pt"}, "nowhere.pt: no such checkpoint"),
        ({"depth": 3}, "unknown key 'depth'"),
    ],
)
def test_a_wrong_table_is_refused(
    changes: dict[str, Any], message: str, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"importance": "magnitude", "sensitivity": False, **changes}
    assert prune(workplace, write(workplace, "wrong", prune=table(workplace, **values)), "--restart") > 0
    assert message in capsys.readouterr().err


def test_wrong_recipes_are_refused(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(recipe: str, command: str = "prune") -> str:
        assert main([command, recipe]) == UsageError.exit_code
        return capsys.readouterr().err

    assert main(["prune", write(workplace, "much", prune=table(workplace)), "--share", "2"]) != 0
    assert "--share: expected a share above 0 and at most 1, got 2.0" in capsys.readouterr().err
    assert "recipe 'plain' has no table [prune]" in refused(write(workplace, "plain"))
    wide = OPTIONS.replace("ff = 48", "ff = 56")
    recipe = write(workplace, "wide", prune=table(workplace), options=wide)
    assert "whole/model.pt: not the network of this recipe, tdnn with {'channels': 16" in refused(recipe)
    assert "prunes a trained network; run it with: python -m export prune" in refused(recipe, "train")
    path = Path(write(workplace, "twice", prune=table(workplace)))
    path.write_text(path.read_text().replace("[training]\n", '[training]\nstart = "x"\n'))
    assert "prune and training both have a start" in refused(str(path))


@pytest.mark.parametrize("name", ["en-tiny", "gmm", "en-small-pruned"])
def test_a_recipe_written_is_the_recipe_read(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(Path(__file__).parents[3] / "export" / "recipes" / f"{name}.toml")
    text = recipe_text(recipe, comment="one line\nand another")
    assert text.startswith("# one line\n# and another\nname = ")
    (tmp_path / "again.toml").write_text(text)
    assert read_recipe(tmp_path / "again.toml") == recipe
