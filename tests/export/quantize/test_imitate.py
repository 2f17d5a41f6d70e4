"""Rounding in training is the rounding of the int8 graph, and leaves no trace in the network."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")
onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")

import onnxruntime  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from test_networks import TINY  # noqa: E402

from edge_asr.acoustic.chunking import AcousticModel  # noqa: E402
from edge_asr.acoustic.onnx import OnnxEngine  # noqa: E402
from edge_asr.errors import UsageError  # noqa: E402
from export.convert.onnx import export_step, quantize  # noqa: E402
from export.net import NETWORKS, create_network  # noqa: E402
from export.net.engine import acoustic_config, whole_file  # noqa: E402
from export.quantize.imitate import (  # noqa: E402
    ImitatedLinear,
    imitate_int8,
    round_rows,
    round_weights,
    switch,
)
from export.quantize.scope import module_of  # noqa: E402
from export.recipe import QuantizationConfig  # noqa: E402

BINS, OUTPUTS = 5, 4


CHANGES: dict[str, dict[str, Any]] = {
    "conformer": {"chunk_outputs": 1},
    "lstm": {"hidden": 32},
    "tdnnf": {"mean_every": 0},
    "tdnnf, back": {"contexts": [[1, 0], [3, 0], [2, 0]]},
}
"""One output at once; a TDNN-F that looks ahead, and one that listens and only looks back."""


def _network(variant: str) -> Any:
    torch.manual_seed(3)
    name = variant.partition(",")[0]
    width = {} if name == "lstm" else {"dim": 32}
    options = {
        **TINY[name],
        **width,
        **CHANGES.get(variant, {}),
        "channels": 16,
        "dropout": 0.0,
        "lookahead_frames": 10,
    }
    network: Any = create_network(name, {**options, "bins": BINS, "outputs": OUTPUTS})
    with torch.no_grad():
        for weights in network.parameters():  # so that norms and biases are not what they start as
            weights.add_(0.1 * torch.randn_like(weights))
    return network.eval()


def _imitation(name: str, **settings: Any) -> Any:
    network = _network(name)
    imitate_int8(network, QuantizationConfig(**settings))
    switch(network, on=True)
    return network


def _features(frames: int = 90) -> Any:
    return np.random.default_rng(frames).normal(size=(frames, BINS)).astype(np.float32)


def _differences(name: str, bits: int, folder: Path) -> tuple[Any, Any]:
    """Of log-probabilities: float from int8 graph, imitation from int8 graph, in chunks of one output."""
    network, features, keep_float = _network(name), _features(), ("first", "second")
    export_step(network, folder / "step.onnx", bins=BINS, chunk_frames=3)
    quantize(folder / "step.onnx", folder / "int8.onnx", weight_bits=bits, keep_float=keep_float)
    config = acoustic_config(network, graph="int8.onnx", chunk_frames=3)
    model = AcousticModel(OnnxEngine(folder / "int8.onnx", config, bins=BINS), config)
    heard = np.concatenate([model.push(features), model.flush()])
    imitation = _imitation(name, weight_bits=bits, keep_float=keep_float)
    return abs(whole_file(network, features) - heard), abs(whole_file(imitation, features) - heard)


@pytest.mark.parametrize("bits", [7, 8])
@pytest.mark.parametrize("name", ["conformer", "tdnn", "tdnnf, back"])
def test_answers_what_the_int8_graph_answers(name: str, bits: int, tmp_path: Path) -> None:
    """But where a number lies so near the middle of two steps that the order of a sum decides."""
    in_float, imitated = _differences(name, bits, tmp_path)
    assert in_float.mean() > 3e-3
    assert np.quantile(imitated, 0.8) < 1e-5
    assert imitated.mean() < 0.1 * in_float.mean()


@pytest.mark.parametrize("name", ["lstm", "tdnnf"])
def test_answers_nearly_what_the_int8_graph_answers(name: str, tmp_path: Path) -> None:
    """The graph rounds what an LSTM gives itself too, and a bottleneck's rows together with the past ones."""
    in_float, imitated = _differences(name, 7, tmp_path)
    assert in_float.mean() > 3e-3
    assert imitated.mean() < 0.6 * in_float.mean()


@pytest.mark.parametrize("bits", [7, 8])
def test_weights_are_the_numbers_of_the_graph(bits: int, tmp_path: Path) -> None:
    network = _network("tdnn")
    export_step(network, tmp_path / "step.onnx", bins=BINS, chunk_frames=3)
    quantize(tmp_path / "step.onnx", tmp_path / "int8.onnx", weight_bits=bits)
    graph = onnx.load(tmp_path / "int8.onnx").graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMulInteger"]
    assert len(products) == 2 + 2 * len(network.layers) + 1
    for node in products:
        whole, scale = round_weights(network.get_submodule(module_of(node.name)).weight.detach(), bits)
        np.testing.assert_array_equal(whole.numpy().T, stored[node.input[1]])
        np.testing.assert_array_equal(
            scale[:, 0].numpy(), stored[node.input[1].replace("_quantized", "_scale")]
        )


@pytest.mark.parametrize("shift", [-9.0, -0.5, 0.0, 0.5, 9.0])
def test_rows_are_rounded_as_onnxruntime_rounds_a_tensor(shift: float) -> None:
    """Wholly negative and wholly positive ones too, whose range is widened to zero."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["y", "scale", "zero"], ["out"]),
    ]
    shape = [1, 40]
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = torch.randn(6, 40, generator=torch.Generator().manual_seed(1)) + shift
    whole, scale = round_rows(x)
    assert bool((whole == whole.round()).all())
    for row, expected in zip(whole * scale, x, strict=True):
        (got,) = session.run(None, {"x": expected[None].numpy()})
        np.testing.assert_allclose(row.numpy(), got[0], rtol=1e-6, atol=1e-6)


def test_rows_of_nothing_but_zeros_stay_zeros() -> None:
    whole, scale = round_rows(torch.zeros(2, 8))
    assert not bool(whole.any()) and bool((scale == 1).all())
    whole, scale = round_weights(torch.zeros(2, 8), 7)
    assert not bool(whole.any()) and bool((scale == 1).all())


@pytest.mark.parametrize("activations", ["dynamic", "none"])
def test_gradients_pass_the_rounding_straight(activations: str) -> None:
    """Those of a plain product of the rounded numbers, as if these were what is learned."""
    torch.manual_seed(1)
    plain = torch.nn.Linear(12, 7)
    layer = ImitatedLinear(plain, QuantizationConfig(activations=activations))
    layer.on = True
    x = torch.randn(2, 5, 12, requires_grad=True)
    upstream = torch.randn(2, 5, 7)
    (layer(x) * upstream).sum().backward()
    whole, scale = round_weights(plain.weight.detach(), 7)
    seen = x.detach()
    if activations == "dynamic":
        rows, row_scale = round_rows(seen)
        seen = rows * row_scale
    torch.testing.assert_close(layer(x), torch.nn.functional.linear(seen, whole * scale, plain.bias))
    torch.testing.assert_close(x.grad, upstream @ (whole * scale))
    torch.testing.assert_close(plain.weight.grad, torch.einsum("bto,bti->oi", upstream, seen))
    torch.testing.assert_close(plain.bias.grad, upstream.sum(dim=(0, 1)))


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_gradients_reach_every_weight_of_the_imitation(name: str, bf16: bool) -> None:
    torch.manual_seed(2)
    features = torch.randn(4, 48, BINS)
    wanted = torch.randn(4, 16, OUTPUTS)
    gradients = []
    for network in (_network(name).train(), _imitation(name).train()):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            log_probs = network(features)[0]
        assert log_probs.dtype == torch.float32
        (log_probs * wanted).sum().backward()
        missed = [n for n, w in network.named_parameters() if w.grad is None or not bool(w.grad.any())]
        assert not missed
        gradients.append(torch.cat([w.grad.flatten() for w in network.parameters()]))
    assert float(torch.cosine_similarity(*gradients, dim=0)) > 0.95


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_bfloat16_rounds_to_the_same_numbers(name: str) -> None:
    network, features = _imitation(name), torch.randn(2, 48, BINS)
    with torch.inference_mode():
        expected = network(features)[0]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = network(features)[0]
    torch.testing.assert_close(got.exp(), expected.exp(), atol=0.1, rtol=0)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_checkpoint_knows_nothing_of_it(name: str) -> None:
    plain, imitation = _network(name), _imitation(name)
    before, after = plain.state_dict(), imitation.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(after[key], weights) for key, weights in before.items())
    assert [n for n, _ in plain.named_parameters()] == [n for n, _ in imitation.named_parameters()]
    features = _features()
    assert not np.array_equal(whole_file(imitation, features), whole_file(plain, features))
    other = copy.deepcopy(imitation)  # as the average is one
    other.load_state_dict(before)
    np.testing.assert_array_equal(whole_file(other, features), whole_file(imitation, features))
    switch(imitation, on=False)
    np.testing.assert_array_equal(whole_file(imitation, features), whole_file(plain, features))


def test_what_is_kept_in_float_is_not_touched() -> None:
    network = _network("tdnn")
    replaced = imitate_int8(network, QuantizationConfig(keep_float=("first", "layers.1", "narrow")))
    assert replaced == ["second", "layers.0.wide", "layers.2.wide", "out"]
    found = [name for name, module in network.named_modules() if isinstance(module, ImitatedLinear)]
    assert found == replaced


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="keep_float: the network has no module 'third'"):
        imitate_int8(_network("tdnn"), QuantizationConfig(keep_float=("third",)))
    with pytest.raises(UsageError, match="leaves no product"):
        imitate_int8(_network("tdnn"), QuantizationConfig(keep_float=("first", "second", "layers", "out")))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weight_bits": 6}, "weight_bits must be 7 or 8, got 6"),
        ({"activations": "static"}, "activations must be 'dynamic' or 'none', got 'static'"),
        ({"from_epoch": 0}, "from_epoch must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        QuantizationConfig(**settings)
