import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_asr.errors import BundleError, UsageError

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")

from export.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402

Make = Callable[..., Any]


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path, tiny_checkpoint: Make) -> None:
    checkpoint = tiny_checkpoint()
    save_checkpoint(tmp_path / "model.pt", checkpoint)
    back = load_checkpoint(tmp_path / "model.pt")
    for field in dataclasses.fields(checkpoint):
        if field.name != "weights":
            assert getattr(back, field.name) == getattr(checkpoint, field.name), field.name
    assert back.weights.keys() == checkpoint.weights.keys()
    for name, tensor in back.weights.items():
        assert torch.equal(tensor, checkpoint.weights[name]), name
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


def test_the_restored_network_does_not_drop_anything_out(tiny_checkpoint: Make) -> None:
    network = tiny_checkpoint(config={**tiny_checkpoint().config, "dropout": 0.5}).restore()
    x = torch.ones(1, 30, 13)
    assert torch.equal(network(x)[0], network(x)[0])


def _save(path: Path, checkpoint: Any, **changes: Any) -> Path:
    """Write a checkpoint with values put in or, where they are None, taken out."""
    save_checkpoint(path, checkpoint)
    values = torch.load(path, weights_only=True) | changes
    torch.save({k: v for k, v in values.items() if v is not None}, path)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": None}, "key 'tokens' is missing"),
        ({"colour": "red"}, "key 'colour' is unknown"),
        ({"front_end": {"mfcc": {}}}, r"front_end: key 'cmvn' is missing"),
        (
            {"front_end": {"mfcc": {}, "cmvn": {"mean": [0], "scale": [1]}}},
            "cmvn has 1 values, mfcc makes 40",
        ),
    ],
)
def test_a_wrong_key_is_named(
    tmp_path: Path, tiny_checkpoint: Make, changes: dict[str, Any], message: str
) -> None:
    path = _save(tmp_path / "model.pt", tiny_checkpoint(), **changes)
    with pytest.raises(BundleError, match=message):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 half a zip"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(BundleError, match="not a checkpoint"):
        load_checkpoint(path)


def test_a_file_with_code_in_it_is_refused(tmp_path: Path) -> None:
    torch.save({"network": Path("/")}, tmp_path / "model.pt")
    with pytest.raises(BundleError, match="not a checkpoint"):
        load_checkpoint(tmp_path / "model.pt")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="python -m export train"):
        load_checkpoint(tmp_path / "model.pt")


def test_weights_and_tokens_must_fit_the_network(tiny_checkpoint: Make) -> None:
    weights = dict(tiny_checkpoint().weights)
    weights.pop("out.bias")
    with pytest.raises(BundleError, match=r"out\.bias"):
        tiny_checkpoint(weights=weights).restore()
    with pytest.raises(BundleError, match="6 outputs for 2 tokens"):
        tiny_checkpoint(tokens=("<blk>", "AA")).restore()
