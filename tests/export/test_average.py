"""One network of several."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from edge_asr.config import CmvnConfig, MfccConfig  # noqa: E402
from edge_asr.errors import UsageError  # noqa: E402
from export.__main__ import main  # noqa: E402
from export.average import average  # noqa: E402
from export.checkpoint import Checkpoint, FrontEnd, load_checkpoint, save_checkpoint  # noqa: E402
from export.net import create_network  # noqa: E402

CONFIG = {"bins": 40, "outputs": 4, "hidden": 8, "layers": 1, "channels": 8}


def network(seed: int, **changes: object) -> Checkpoint:
    torch.manual_seed(seed)
    made = create_network("lstm", CONFIG)
    assert isinstance(made, torch.nn.Module)
    front_end = FrontEnd(mfcc=MfccConfig(), cmvn=CmvnConfig(mean=(0.0,) * 40, scale=(1.0,) * 40))
    checkpoint = Checkpoint(
        network="lstm",
        config={**CONFIG, "dropout": 0.1 * seed},
        weights=dict(made.state_dict()),
        front_end=front_end,
        tokens=("<blk>", "a", "b", "c"),
        recipe={"name": "r"},
        history=[{"epoch": 1, "priors": [0.25] * 4, "per_dev": 0.5}],
    )
    return dataclasses.replace(checkpoint, **changes)  # type: ignore[arg-type]


def test_the_mean_of_two_run_directories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = network(1), network(2)
    for name, checkpoint in (("one", one), ("other", other)):
        (tmp_path / name).mkdir()
        save_checkpoint(tmp_path / name / "model.pt", checkpoint)
    runs = [f"{tmp_path / 'one'}=3", str(tmp_path / "other")]
    assert main(["average", *runs, "--out", str(tmp_path / "mean")]) == 0
    mean = load_checkpoint(tmp_path / "mean" / "model.pt")
    for key, weights in mean.weights.items():
        torch.testing.assert_close(weights, 0.75 * one.weights[key] + 0.25 * other.weights[key])
    assert mean.recipe == one.recipe
    assert mean.history[-1]["priors"] == [0.25] * 4
    assert list(mean.history[-1]["averaged"].values()) == [0.75, 0.25]
    mean.restore()


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"tokens": ("<blk>", "a", "b", "d")}, "tokens"), ({"config": {**CONFIG, "hidden": 9}}, "config")],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=f"second: its {said} is not that of first"):
        average([network(1), network(1, **changes)], [1, 1], ["first", "second"])


def test_shares_and_number_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="two networks"):
        average([network(1)], [1], ["first"])
    with pytest.raises(UsageError, match="above 0"):
        average([network(1), network(2)], [1, 0], ["first", "second"])
    assert main(["average", f"{tmp_path}=much", "--out", str(tmp_path)]) == UsageError.exit_code
    assert "for a share" in capsys.readouterr().err
