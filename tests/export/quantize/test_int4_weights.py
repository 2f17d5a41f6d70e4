"""Four-bit products: what onnxruntime computes with them is what the rounded weights say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")
pytest.importorskip("torch", reason="needs torch (the extra train)")

import onnxruntime  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from edge_asr.errors import EdgeAsrError, UsageError  # noqa: E402
from export.quantize.graph import write_forms  # noqa: E402
from export.quantize.int4 import restore_blocks, round_blocks, to_int4  # noqa: E402
from export.quantize.products import BLOCK  # noqa: E402

INPUTS, OUTPUTS = 100, 24


def _weights(seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(size=(INPUTS, OUTPUTS)).astype(np.float32)


def _model(operator: str, **attributes: Any) -> Any:
    bias = np.linspace(-1, 1, OUTPUTS, dtype=np.float32)
    inputs = ["x", "w", "b"] if operator == "Gemm" else ["x", "w"]
    graph = helper.make_graph(
        [helper.make_node(operator, inputs, ["y"], f"/_network/wide/{operator}", **attributes)],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, INPUTS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, OUTPUTS])],
        [numpy_helper.from_array(_weights(), "w"), numpy_helper.from_array(bias, "b")][: len(inputs) - 1],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _run(model: Any, x: Any) -> Any:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def _restored(whole: Any, scales: Any) -> Any:
    return ((whole.astype(np.float32) - 8) * scales[:, :, None]).reshape(OUTPUTS, -1)[:, :INPUTS].T


@pytest.mark.parametrize("operator", ["MatMul", "Gemm"])
def test_the_runtime_multiplies_with_the_rounded_weights(operator: str, tmp_path: Path) -> None:
    onnx.save(_model(operator), tmp_path / "float.onnx")
    write_forms(tmp_path / "float.onnx", tmp_path / "int4.onnx", {"wide": "int4"})
    made = onnx.load(tmp_path / "int4.onnx")
    assert [n.op_type for n in made.graph.node] == ["MatMulNBits"] + ["Add"] * (operator == "Gemm")
    assert "w" not in {tensor.name for tensor in made.graph.initializer}
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    packed, scales = (stored[name] for name in made.graph.node[0].input[1:3])
    np.testing.assert_array_equal(
        restore_blocks(packed, scales, INPUTS), _restored(*round_blocks(_weights()))
    )
    x = np.random.default_rng(2).normal(size=(3, INPUTS)).astype(np.float32)
    expected = x @ _restored(*round_blocks(_weights()))
    if operator == "Gemm":
        expected += np.linspace(-1, 1, OUTPUTS, dtype=np.float32)
    # What it is given is rounded to 8 bits: of a sum over 100 inputs, that leaves this.
    np.testing.assert_allclose(_run(made, x), expected, atol=0.15)
    assert np.abs(expected - _run(_model(operator), x)).max() > 0.3


def test_blocks_are_rounded_to_the_best_of_a_few_scales() -> None:
    weights = _weights()
    whole, scales = round_blocks(weights)
    assert whole.shape == (OUTPUTS, -(-INPUTS // BLOCK), BLOCK) and whole.max() <= 15
    padded = np.zeros((OUTPUTS, whole.shape[1] * BLOCK), np.float32)
    padded[:, :INPUTS] = weights.T
    groups = padded.reshape(whole.shape)
    largest = np.take_along_axis(groups, np.abs(groups).argmax(axis=2, keepdims=True), axis=2)[:, :, 0]
    plain = np.clip(np.rint(groups / (largest / -8)[:, :, None]), -8, 7) * (largest / -8)[:, :, None]
    ours = (whole.astype(np.float32) - 8) * scales[:, :, None]
    error, plain_error = (np.square(made - groups).sum(axis=2) for made in (ours, plain))
    assert (error <= plain_error + 1e-6).all() and error.sum() < 0.95 * plain_error.sum()


def test_zeros_stay_zeros() -> None:
    whole, scales = round_blocks(np.zeros((40, 2), dtype=np.float32))
    assert (whole == 8).all() and np.isfinite(scales).all()


def test_nothing_is_passed_over_in_silence(tmp_path: Path) -> None:
    with pytest.raises(EdgeAsrError, match="not quantized to int4: /other/MatMul"):
        to_int4(_model("MatMul"), {"/_network/wide/MatMul", "/other/MatMul"})
    with pytest.raises(EdgeAsrError, match="expected a MatMul or a plain Gemm, got Gemm"):
        to_int4(_model("Gemm", alpha=2.0), {"/_network/wide/Gemm"})
    onnx.save(_model("MatMul"), tmp_path / "float.onnx")
    with pytest.raises(UsageError, match="'narrow' is missing or unknown"):
        write_forms(tmp_path / "float.onnx", tmp_path / "x.onnx", {"wide": "int4", "narrow": "int8"})
