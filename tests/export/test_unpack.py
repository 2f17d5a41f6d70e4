"""A checkpoint made of a bundle: every weight again, within half a step of the int8 numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")

import onnx
import torch
from test_networks import TINY

from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.bundle import Bundle
from edge_asr.errors import BundleError
from export.__main__ import main
from export.checkpoint import MODEL_FILE, load_checkpoint
from export.convert.onnx import export_step, quantize
from export.net import NETWORKS, create_network
from export.net.engine import acoustic_config, whole_file
from export.net.network import FixedChunk
from export.quantize.graph import write_forms
from export.quantize.products import Form, products
from export.quantize.static import measure_ranges
from export.rundir import INT8_GRAPH, RunDir
from export.unpack import graph_weights, unpack

BINS = 5
OPTIONS = "{ channels = 16, hidden = 32, layers = 2, lookahead_frames = 8 }"
RECIPE = f"""
name = "tiny"
[corpus]
root = "data"
dev = []
train = [ {{ name = "a" }} ]
[network]
name = "lstm"
options = {OPTIONS}
[training]
epochs = 1
"""


def _network(name: str, *, spread: float = 0.1, **changes: Any) -> Any:
    """A small one; ``spread`` moves its weights away from what norms and biases start as."""
    torch.manual_seed(5)
    options = {**TINY[name], "channels": 6, "lookahead_frames": 10, **changes}
    network: Any = create_network(name, {**options, "bins": BINS, "outputs": 4})
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(spread * torch.randn_like(weights))
    return network.eval()


def _int8(network: Any, folder: Path, *, bits: int = 7, keep_float: tuple[str, ...] = ()) -> Path:
    chunk = network.chunk_frames if isinstance(network, FixedChunk) else 12
    export_step(network, folder / "step.onnx", bins=BINS, chunk_frames=chunk)
    quantize(folder / "step.onnx", folder / "int8.onnx", weight_bits=bits, keep_float=keep_float)
    return folder / "int8.onnx"


@pytest.mark.parametrize("bits", [7, 8])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_weight_comes_back_within_half_a_step(name: str, bits: int, tmp_path: Path) -> None:
    trained = _network(name).state_dict()
    found = graph_weights(_int8(_network(name), tmp_path, bits=bits))
    assert found.keys() == trained.keys()
    for key, weights in trained.items():
        assert (found[key].shape, found[key].dtype) == (weights.shape, weights.dtype), key
        product = weights.ndim == 2 and not key.endswith("distances")
        assert torch.equal(found[key], weights) != product, f"{key}: only products are rounded"
        if product:  # one scale an output
            step = weights.abs().amax(dim=1, keepdim=True) / {7: 64, 8: 127}[bits]
            assert bool(((found[key] - weights).abs() <= 0.501 * step).all()), key


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_what_was_left_in_float_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    network = _network(name)
    found, trained = graph_weights(_int8(network, tmp_path, keep_float=("first",))), network.state_dict()
    assert found.keys() == trained.keys()
    assert torch.equal(found["first.weight"], trained["first.weight"])
    assert not torch.equal(found["second.weight"], trained["second.weight"])


def test_weights_of_four_bits_and_static_ranges_come_back_too(tmp_path: Path) -> None:
    network = _network("tdnn")
    trained = network.state_dict()
    export_step(network, tmp_path / "step.onnx", bins=BINS, chunk_frames=12)
    modules = [product.module for product in products(onnx.load(tmp_path / "step.onnx"))]
    forms: dict[str, Form] = dict.fromkeys(modules, "int4")
    forms |= {"first": "float", "layers.1.wide": "int8"}
    features = np.random.default_rng(1).normal(size=(60, BINS)).astype(np.float32)
    config = acoustic_config(network, graph="step.onnx", chunk_frames=12)
    ranges = measure_ranges(tmp_path / "step.onnx", config, [features], bins=BINS)
    write_forms(tmp_path / "step.onnx", tmp_path / "mixed.onnx", forms, ranges=ranges)
    found = graph_weights(tmp_path / "mixed.onnx")
    assert found.keys() == trained.keys()
    for module, form in forms.items():
        weights, again = trained[f"{module}.weight"], found[f"{module}.weight"]
        # A four-bit scale may cut the largest weight off by a third.
        step = {"float": 0.0, "int8": 0.51 / 64, "int4": 0.3}[form] * weights.abs().amax(dim=1, keepdim=True)
        assert bool(((again - weights).abs() <= 1.01 * step).all()), module
        assert torch.equal(again, weights) == (form == "float")


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_restored_network_answers_nearly_the_same(name: str, tmp_path: Path) -> None:
    width = {"hidden": 64} if name == "lstm" else {"dim": 64}
    network, restored = _network(name, **width), _network(name, spread=1.0, **width)
    features = np.random.default_rng(1).normal(size=(60, BINS)).astype(np.float32)
    expected = whole_file(network, features)
    assert np.abs(np.exp(whole_file(restored, features)) - np.exp(expected)).max() > 0.5
    restored.load_state_dict(graph_weights(_int8(network, tmp_path)))
    np.testing.assert_allclose(np.exp(whole_file(restored, features)), np.exp(expected), atol=0.06)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_weights_that_are_alike_are_all_found(name: str, tmp_path: Path) -> None:
    """The exporter stores equal tensors once, as are the norms of a network that has learned nothing."""
    network = _network(name, spread=0.0)
    found, fresh = graph_weights(_int8(network, tmp_path)), network.state_dict()
    assert found.keys() == fresh.keys()
    for key, weights in fresh.items():
        torch.testing.assert_close(found[key], weights, atol=0.02, rtol=0, msg=key)


def test_a_network_that_looks_ahead_nowhere_is_found_too(tmp_path: Path) -> None:
    network = _network("lstm", ahead=[])
    assert graph_weights(_int8(network, tmp_path)).keys() == network.state_dict().keys()


@pytest.fixture(scope="module")
def bundle(converted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    (folder / "lexicon.txt").write_text("bat B AA T\n")
    flags = ["--lexicon", str(folder / "lexicon.txt"), "--name", "tiny-1", "--out", str(folder)]
    assert main(["pack", str(converted), *flags]) == 0
    return folder / "tiny-1"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


def test_a_bundle_becomes_the_checkpoint_that_it_was(
    bundle: Path,
    recipe: Path,
    converted: Path,
    tone_features: list[Float32Array],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "runs" / "again"
    assert main(["unpack", str(bundle), str(recipe), "--out", str(out)]) == 0
    before, after = load_checkpoint(converted / MODEL_FILE), load_checkpoint(out / MODEL_FILE)
    weights = sum(tensor.numel() for tensor in before.weights.values())
    assert f"{out / MODEL_FILE}: {weights:,} weights" in capsys.readouterr().out
    assert (after.network, after.config, after.tokens) == (before.network, before.config, before.tokens)
    assert (after.front_end, after.recipe["name"]) == (before.front_end, "tiny")
    for features in tone_features:
        got, expected = (whole_file(c.restore(), features) for c in (after, before))
        np.testing.assert_allclose(np.exp(got), np.exp(expected), atol=0.1)
        assert (got.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.97


def test_converted_again_it_answers_what_the_bundle_answers(
    bundle: Path, recipe: Path, converted: Path, tone_features: list[Float32Array], tmp_path: Path
) -> None:
    """Numbers that were rounded once are not rounded further."""
    out = tmp_path / "again"
    main(["unpack", str(bundle), str(recipe), "--out", str(out)])
    assert main(["convert", str(out), "--chunk-frames", "6"]) == 0
    one, other = (AcousticModel(*RunDir.load(path).engine(INT8_GRAPH)) for path in (converted, out))
    for features in tone_features:
        np.testing.assert_allclose(one.push(features), other.push(features), atol=0.02)


@pytest.mark.parametrize(
    ("change", "weight"),
    [
        (("hidden = 32", "hidden = 48"), "lstms.0.bias_hh_l0"),
        (("layers = 2", "layers = 1"), "lstms.1.bias_hh_l0"),
        (("layers = 2", "layers = 2, ahead = [1, 1]"), "ahead.0.bias"),
        ((f'"lstm"\noptions = {OPTIONS}', '"tdnn"\noptions = {}'), "first.bias"),
    ],
)
def test_the_recipe_of_another_network_is_refused(
    bundle: Path, recipe: Path, change: tuple[str, str], weight: str
) -> None:
    assert change[0] in RECIPE
    recipe.write_text(RECIPE.replace(*change))
    with pytest.raises(BundleError, match=rf"expected the weights of .*tiny\.toml has it; '{weight}' is"):
        unpack(Bundle.load(bundle), recipe)


def test_nothing_is_written_where_the_recipe_is_wrong(
    bundle: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(RECIPE.replace("hidden = 32", "hidden = 48"))
    assert main(["unpack", str(bundle), str(recipe), "--out", str(tmp_path / "x")]) == BundleError.exit_code
    assert "python -m export unpack: " in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
