"""Training: it learns, it can be stopped and resumed, and two processes do as one."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pitch_corpus import write_pitch_corpus

torch = pytest.importorskip("torch", reason="training needs torch")

from edge_asr.errors import UsageError  # noqa: E402
from export import train  # noqa: E402
from export.checkpoint import load_checkpoint  # noqa: E402


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a little corpus and a recipe."""
    root = tmp_path_factory.mktemp("workplace")
    write_pitch_corpus(root / "data" / "pitches", utterances=48, train=40)
    return root


def recipe(workplace: Path, name: str, epochs: int) -> Path:
    path = workplace / f"{name}.toml"
    path.write_text(f"""
name = "{name}"
[corpus]
root = "{workplace / "data"}"
dev = ["pitches"]
train = [ {{ name = "pitches" }} ]
speeds = [1.0]
nonspeech = 4
[network]
name = "lstm"
options = {{ hidden = 48, layers = 1, channels = 24, dropout = 0.0, lookahead_frames = 9 }}
[training]
epochs = {epochs}
batch_seconds = 6.0
peak_rate = 0.01
warmup_steps = 10
average_decay = 0.9
bf16 = false
[training.spec_augment]
band_masks = 0
time_masks_per_second = 0.0
""")
    return path


def fit(workplace: Path, path: Path, *flags: str) -> list[dict[str, float]]:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    run_dir = workplace / "runs" / path.stem
    args = parser.parse_args([str(path), "--out", str(run_dir), "--cache", str(workplace / "cache"), *flags])
    assert train.run(args) == 0
    return load_checkpoint(run_dir / "model.pt").history


def test_learns_its_corpus(workplace: Path) -> None:
    history = fit(workplace, recipe(workplace, "learns", epochs=25))
    assert len(history) == 25
    assert history[-1]["loss"] < 0.3 * history[0]["loss"]
    assert history[-1]["per_pitches"] < 0.1
    # Forty recordings of about a second, and four sounds without speech.
    assert 30 < 3600 * history[0]["hours"] < 90


def test_resumed_equals_uninterrupted(workplace: Path) -> None:
    """Stopped after an epoch and started again, a run ends with the same weights."""
    whole = recipe(workplace, "whole", epochs=3)
    fit(workplace, whole)
    stopped = recipe(workplace, "stopped", epochs=3)
    stop_after = 2
    original = train.Trainer._pass

    def interrupted(self: train.Trainer, steps: int | None) -> torch.Tensor:
        if self._passes == stop_after:
            raise KeyboardInterrupt
        return original(self, steps)

    train.Trainer._pass = interrupted  # type: ignore[method-assign]
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(workplace, stopped)
    finally:
        train.Trainer._pass = original  # type: ignore[method-assign]
    fit(workplace, stopped)
    ours = load_checkpoint(workplace / "runs" / "stopped" / "model.pt")
    theirs = load_checkpoint(workplace / "runs" / "whole" / "model.pt")
    assert len(ours.history) == len(theirs.history) == 3
    for name, weights in theirs.weights.items():
        assert torch.equal(ours.weights[name], weights), name


@pytest.mark.parametrize("fresh", [False, True], ids=["cached", "fresh"])
def test_two_processes_train_together(workplace: Path, fresh: bool) -> None:
    """Under torchrun with gloo, as a user with two GPUs would; the first fills the cache for both."""
    path = recipe(workplace, f"pair-{fresh}", epochs=5)
    if fresh:
        path.write_text(path.read_text().replace("nonspeech = 4", "nonspeech = 4\nfresh = true"))
    run_dir = workplace / "runs" / path.stem
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "export", "train", str(path), "--out", str(run_dir), "--cache", str(workplace / "cache")),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr[-2000:]
    checkpoint = load_checkpoint(run_dir / "model.pt")
    assert [entry["processes"] for entry in checkpoint.history] == [2] * 5
    assert checkpoint.history[-1]["loss"] < checkpoint.history[0]["loss"]


def test_a_sequence_criterion_follows_ctc(workplace: Path) -> None:
    path = recipe(workplace, "sequence", epochs=30)
    with path.open("a") as text:
        text.write('[training.criterion]\nname = "ctc-crf"\nfrom_epoch = 12\n')
    history = fit(workplace, path)
    # Against a competitor the loss has another zero: it falls below any that CTC has.
    assert history[11]["loss"] < history[10]["loss"] < history[0]["loss"]
    assert history[-1]["per_pitches"] < 0.1
    priors = history[-1]["priors"]
    assert sum(priors) == pytest.approx(1, abs=1e-4)
    assert priors[0] == max(priors)


def test_a_constraint_is_kept_every_fourth_step(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from export.net.tdnnf import TdnnfCtc

    original, pulled = TdnnfCtc.constrain, []

    def constrain(self: TdnnfCtc) -> None:
        pulled.append(len(stepped))
        original(self)

    stepped: list[None] = []
    monkeypatch.setattr(TdnnfCtc, "constrain", constrain)
    torch_step = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self: (stepped.append(None), torch_step(self)))
    path = recipe(workplace, "constrained", epochs=1)
    text = path.read_text().replace('name = "lstm"', 'name = "tdnnf"')
    path.write_text(
        text.replace("hidden = 48, layers = 1,", "dim = 16, bottleneck = 8, contexts = [[1, 1]],")
    )
    fit(workplace, path, "--steps", "9")
    assert (pulled, len(stepped)) == ([4, 8], 9)


def test_unknown_criterion_is_named(workplace: Path) -> None:
    path = recipe(workplace, "nonsense", epochs=1)
    with path.open("a") as text:
        text.write('[training.criterion]\nname = "vibes"\n')
    with pytest.raises(UsageError, match="unknown criterion 'vibes'; known: ctc, ctc-crf"):
        fit(workplace, path)


def test_unknown_network_is_named(workplace: Path) -> None:
    path = recipe(workplace, "unknown", epochs=1)
    path.write_text(path.read_text().replace('name = "lstm"', 'name = "brain"'))
    with pytest.raises(UsageError, match="unknown network 'brain'"):
        fit(workplace, path)


def started(workplace: Path, name: str, start: Path) -> Path:
    """A recipe that trains on."""
    path = recipe(workplace, name, epochs=1)
    path.write_text(path.read_text().replace("[training]\n", f'[training]\nstart = "{start}"\n'))
    return path


def test_weights_are_trained_on(workplace: Path) -> None:
    fit(workplace, recipe(workplace, "learned", epochs=25))
    learned = workplace / "runs" / "learned" / "model.pt"
    history = fit(workplace, started(workplace, "goes-on", learned))
    assert history[0]["per_pitches"] < 0.2
    ours = load_checkpoint(workplace / "runs" / "goes-on" / "model.pt")
    assert ours.front_end == load_checkpoint(learned).front_end


def test_another_network_is_not_trained_on(workplace: Path) -> None:
    fit(workplace, recipe(workplace, "narrow", epochs=1))
    path = started(workplace, "wide", workplace / "runs" / "narrow" / "model.pt")
    path.write_text(path.read_text().replace("hidden = 48", "hidden = 56"))
    with pytest.raises(UsageError, match=r"narrow/model\.pt: not the network of this recipe, lstm"):
        fit(workplace, path)


def test_a_run_ends_with_a_mean(workplace: Path) -> None:
    first = recipe(workplace, "first", epochs=1)
    fit(workplace, first)
    path = started(workplace, "mixed", workplace / "runs" / "first" / "model.pt")
    text = path.read_text()
    path.write_text(
        text.replace("[training]\n", f'[training]\nmean = {{ "{workplace / "runs" / "first"}" = 0.25 }}\n')
    )
    history = fit(workplace, path)
    trained = load_checkpoint(workplace / "runs" / "mixed" / "trained.pt")
    before = load_checkpoint(workplace / "runs" / "first" / "model.pt")
    mean = load_checkpoint(workplace / "runs" / "mixed" / "model.pt")
    for key, weights in mean.weights.items():
        torch.testing.assert_close(weights, 0.75 * trained.weights[key] + 0.25 * before.weights[key])
    assert any(not torch.equal(mean.weights[key], weights) for key, weights in trained.weights.items())
    assert history[-1]["averaged"] == {"mixed": 0.75, str(workplace / "runs" / "first"): 0.25}
    # Started again there is nothing left to do, and one mean is enough.
    fit(workplace, path)
    again = load_checkpoint(workplace / "runs" / "mixed" / "model.pt")
    assert all(torch.equal(again.weights[key], weights) for key, weights in mean.weights.items())


@pytest.mark.parametrize(
    ("mean", "message"),
    [
        ('{ "nowhere" = 0.5 }', "nowhere"),
        ('{ "nowhere" = 1.0 }', "leave some of 1 to the run"),
        ('{ "WORKPLACE/runs/wider" = 0.5 }', "wider: its config is not that of start"),
    ],
)
def test_a_mean_that_cannot_be_is_refused_before_training(workplace: Path, mean: str, message: str) -> None:
    first, wider = recipe(workplace, "first", epochs=1), recipe(workplace, "wider", epochs=1)
    wider.write_text(wider.read_text().replace("hidden = 48", "hidden = 49"))
    for path in (first, wider):
        fit(workplace, path)
    path = started(workplace, "early", workplace / "runs" / "first" / "model.pt")
    mean = mean.replace("WORKPLACE", str(workplace))
    path.write_text(path.read_text().replace("[training]\n", f"[training]\nmean = {mean}\n"))
    with pytest.raises(UsageError, match=message):
        fit(workplace, path)
    assert not (workplace / "runs" / "early" / "model.pt").exists()


def test_a_mean_needs_a_start(workplace: Path) -> None:
    path = recipe(workplace, "alone", epochs=1)
    path.write_text(path.read_text().replace("[training]\n", '[training]\nmean = { "nowhere" = 0.5 }\n'))
    with pytest.raises(UsageError, match="give a start"):
        fit(workplace, path)


def test_learns_with_quantized_weights(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second epoch on; the network and its average that is measured, and kept in float."""
    from export.net import create_network
    from export.quantize.imitate import ImitatedLinear, ImitatedLstm

    rounding: list[list[bool]] = []
    measure = train.Trainer._measure

    def watched(self: train.Trainer) -> dict[str, float]:
        modules = [m for n in (self._network, self._average) for m in n.modules()]
        rounding.append([m.on for m in modules if isinstance(m, (ImitatedLinear, ImitatedLstm))])
        return measure(self)

    monkeypatch.setattr(train.Trainer, "_measure", watched)
    path = recipe(workplace, "quantized", epochs=12)
    with path.open("a") as text:
        text.write('[training.quantization]\nkeep_float = ["first"]\nfrom_epoch = 2\n')
    history = fit(workplace, path)
    assert rounding == [[False] * 6] + [[True] * 6] * 11
    assert history[-1]["loss"] < 0.3 * history[0]["loss"]
    checkpoint = load_checkpoint(workplace / "runs" / "quantized" / "model.pt")
    plain = create_network(checkpoint.network, checkpoint.config).state_dict()
    assert list(checkpoint.weights) == list(plain)
    assert checkpoint.recipe["training"]["quantization"]["weight_bits"] == 7


def test_the_clock_ends_a_run(workplace: Path) -> None:
    history = fit(workplace, recipe(workplace, "clock", epochs=10_000), "--minutes", "0.03")
    assert len(history) == 1
    assert 1.5 < history[0]["seconds"] < 30
    assert history[0]["hours"] > 0


def test_no_time_is_refused(workplace: Path) -> None:
    with pytest.raises(UsageError, match="above 0"):
        fit(workplace, recipe(workplace, "notime", epochs=1), "--minutes", "0")


def test_another_seed_is_another_run(workplace: Path) -> None:
    losses = [
        fit(workplace, recipe(workplace, name, epochs=1), "--seed", seed)[0]["loss"]
        for name, seed in (("seeded", "5"), ("same", "5"), ("other", "6"))
    ]
    assert losses[0] == losses[1] != losses[2]
