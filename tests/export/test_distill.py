"""``python -m export distill``: it trains, says what came of it, and refuses what cannot teach."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pitch_corpus import PITCHES, WORDS, write_pitch_corpus

torch = pytest.importorskip("torch", reason="training needs torch (the extra train)")

from export.__main__ import main  # noqa: E402
from export.checkpoint import Checkpoint, load_checkpoint, save_checkpoint  # noqa: E402

SEQUENCES = 'until_epoch = 0\nsequences = true\n[training.criterion]\nname = "ctc-crf"\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a little corpus, a large network that knows it, and a small one that hardly does."""
    root = tmp_path_factory.mktemp("distilling")
    words = {word: WORDS[word] for word in ("i", "so", "see", "no")}
    write_pitch_corpus(
        root / "data" / "pitches", utterances=36, train=30, words=words, pitches=PITCHES | {"N": 800}
    )
    assert run("train", recipe(root, "large", hidden=48, epochs=16)) == 0
    start = recipe(root, "small", hidden=16, epochs=2, extra=taught(root, "until_epoch = 0\n"))
    assert run("train", start) == 0
    return root


def recipe(root: Path, name: str, *, hidden: int, epochs: int, start: str = "", extra: str = "") -> Path:
    path = root / f"{name}.toml"
    path.write_text(f"""
name = "{name}"
[corpus]
root = "{root / "data"}"
dev = ["pitches"]
train = [ {{ name = "pitches" }} ]
speeds = [1.0]
[network]
name = "lstm"
options = {{ hidden = {hidden}, layers = 1, channels = 16, dropout = 0.0, lookahead_frames = 9 }}
[training]
{f'start = "{root}/runs/{start}/model.pt"' if start else ""}
epochs = {epochs}
batch_seconds = 2.5
peak_rate = 0.01
warmup_steps = 10
average_decay = 0.9
bf16 = false
[training.spec_augment]
band_masks = 0
time_masks_per_second = 0.0
{extra}""")
    return path


def taught(root: Path, settings: str, checkpoint: str = "runs/large/model.pt") -> str:
    return f'[training.teacher]\ncheckpoint = "{root / checkpoint}"\n{settings}'


def run(command: str, path: Path, *flags: str) -> int:
    root = path.parent
    return main([command, str(path), "--out", str(root / "runs" / path.stem), "--cache", str(root), *flags])


def refused(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    assert re.search(pattern, capsys.readouterr().err.strip().splitlines()[-1])


def student(place: Path, name: str, settings: str = SEQUENCES, **changes: object) -> Path:
    fields = {"hidden": 16, "epochs": 8, "start": "small", "extra": taught(place, settings), **changes}
    return recipe(place, name, **fields)  # type: ignore[arg-type]


def test_trains_and_compares(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = student(place, "taught")
    capsys.readouterr()
    assert run("distill", path, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["name"], printed["limit"]) == ("taught", 40)
    teacher, before, after = printed["networks"]
    assert [row["role"] for row in (teacher, before, after)] == ["teacher", "before", "after"]
    for row in (teacher, before, after):
        tensors = load_checkpoint(Path(row["checkpoint"])).weights.values()
        assert row["weights"] == sum(w.numel() for w in tensors) == row["size_bytes"] // 4
    assert teacher["weights"] > 3 * after["weights"] and before["weights"] == after["weights"]
    assert after["searched"]["pitches"] < 0.5 * before["searched"]["pitches"]
    history = load_checkpoint(place / "runs" / "taught" / "model.pt").history
    assert len(history) == 8 and history[-1]["loss"] < history[0]["loss"]
    assert after["greedy"]["pitches"] == pytest.approx(history[-1]["per_pitches"], abs=1e-4)

    # Once more: nothing is left to train, and the same is told as a table.
    assert run("distill", path, "--limit", "3") == 0
    resumed, *table = capsys.readouterr().out.strip().splitlines()
    assert resumed.startswith("resuming after epoch 8")
    assert [line.split()[0] for line in table] == ["weights", "teacher", "before", "after"]
    assert table[-1].split()[1:3] == [f"{after['weights']:,}", f"{after['size_bytes']:,}"]
    assert len(load_checkpoint(place / "runs" / "taught" / "model.pt").history) == 8


def test_two_processes_distil_together(place: Path) -> None:
    """Under torchrun both train, and one of them tells what came of it."""
    path = student(place, "pair", epochs=1)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "export", "distill", str(path), "--out", str(place / "runs" / "pair"), "--json"),
        *("--cache", str(place), "--limit", "2", "--steps", "2"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr[-2000:]
    assert [row["role"] for row in json.loads(done.stdout)["networks"]] == ["teacher", "before", "after"]
    (entry,) = load_checkpoint(place / "runs" / "pair" / "model.pt").history
    assert (entry["processes"], entry["step"]) == (2, 2)


def test_several_teach_without_transcripts(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = f'weight = 1.0\nothers = ["{place}/runs/large/model.pt"]\n'
    path = student(place, "untold", others + SEQUENCES, start="", hidden=12, epochs=1)
    assert run("distill", path, "--json", "--steps", "2") == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["networks"]
    assert [row["role"] for row in rows] == ["teacher", "teacher", "after"]
    (entry,) = load_checkpoint(place / "runs" / "untold" / "model.pt").history
    assert entry["loss"] > 0, "a divergence"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("sequences = true\nuntil_epoch = 0\n", "criterion 'ctc' knows no other sequences.* 'ctc-crf'"),
        ("weight = 0.0\n" + SEQUENCES, "weight must be above 0 and at most 1, got 0"),
        ("weight = 1.5\n" + SEQUENCES, "weight must be above 0 and at most 1, got 1.5"),
        ('others = ["more.pt"]\n', "others teach answers or sequences"),
        ('others = ["more.pt"]\n' + SEQUENCES, "more.pt: no such checkpoint"),
        ("answers = true\nlate_outputs = 1\n" + SEQUENCES, "late_outputs must be 0"),
    ],
)
def test_bad_recipes_are_refused(
    place: Path, capsys: pytest.CaptureFixture[str], settings: str, problem: str
) -> None:
    assert run("distill", student(place, "bad", settings), "--restart") != 0
    refused(capsys, problem)


def test_what_cannot_teach_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("distill", student(place, "alone", extra="")) != 0
    refused(capsys, "expected a network's model.pt as .* checkpoint, got no teacher")
    gmm = taught(place, SEQUENCES, "runs/gmm/gmm.npz")
    assert run("distill", student(place, "gmm", extra=gmm)) != 0
    refused(capsys, "got .*gmm.npz; without one: python -m export train")
    assert run("train", student(place, "gmm", extra=gmm)) != 0
    refused(capsys, "answers, sequences: a GMM has none to imitate")
    assert run("distill", student(place, "none"), "--limit", "0") != 0
    refused(capsys, "--limit: expected at least 1, got 0")


def test_teacher_and_student_must_hear_the_same(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = load_checkpoint(place / "runs" / "large" / "model.pt")
    fields = {name: getattr(known, name) for name in Checkpoint.__dataclass_fields__}
    mean = (*known.front_end.cmvn.mean[:-1], 9.0)
    cmvn = type(known.front_end.cmvn)(mean=mean, scale=known.front_end.cmvn.scale)
    front_end = type(known.front_end)(mfcc=known.front_end.mfcc, cmvn=cmvn)
    (place / "runs" / "deaf").mkdir()
    deaf = place / "runs" / "deaf" / "model.pt"
    save_checkpoint(deaf, Checkpoint(**{**fields, "front_end": front_end}))
    other = taught(place, SEQUENCES, "runs/deaf/model.pt")
    assert run("distill", student(place, "deafened", extra=other)) != 0
    refused(capsys, "start and teacher both bring a front-end, and they differ: .*small/model.pt")
    beside = taught(place, f'others = ["{deaf}"]\n' + SEQUENCES)
    assert run("distill", student(place, "beside", extra=beside)) != 0
    refused(capsys, "deaf/model.pt: expected the front-end and the tokens of .*large/model.pt")
