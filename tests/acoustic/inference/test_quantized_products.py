"""Whole numbers in float arithmetic: exact, and fused without changing a bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx", reason="needs onnx to build graphs")
from onnx_models import write_model  # noqa: E402

from edge_asr.acoustic.inference.fusion import fuse  # noqa: E402
from edge_asr.acoustic.inference.onnx_file import read_onnx  # noqa: E402
from edge_asr.acoustic.inference.operators import SCALED_PRODUCT  # noqa: E402
from edge_asr.acoustic.inference.operators.products import FEW_ROWS, multiply  # noqa: E402
from edge_asr.acoustic.inference.operators.quantized import exact_weights, quantize_centred  # noqa: E402
from edge_asr.acoustic.inference.program import Program  # noqa: E402


@pytest.mark.parametrize(
    ("inputs", "weight", "expected"),
    [(1024, 64, np.float32), (1029, 64, np.float64), (1024, -128, np.float64), (515, 127, np.float32)],
)
def test_the_largest_sum_decides_how_it_is_computed(inputs: int, weight: int, expected: Any) -> None:
    exact = exact_weights(np.full((inputs, 2), weight, np.int8), None)
    assert exact.dtype == expected
    most = np.full((1, inputs), 255, exact.dtype)
    assert multiply(most, exact).tolist() == [[inputs * 255 * weight] * 2]


@given(rows=st.integers(1, 2 * FEW_ROWS), inputs=st.sampled_from([1, 7, 900, 3000]), seed=st.integers(0, 99))
def test_products_are_exact(rows: int, inputs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.integers(-255, 256, (rows, inputs)), rng.integers(-128, 128, (inputs, 3)).astype(np.int8)
    zero_point = rng.integers(-9, 9, 3).astype(np.int8)
    exact = exact_weights(w, zero_point)
    np.testing.assert_array_equal(
        multiply(x.astype(exact.dtype), exact), x @ (w.astype(np.int64) - zero_point)
    )


def test_silence_and_what_is_no_number() -> None:
    whole, scale = quantize_centred(np.zeros((2, 3), np.float32))
    assert not whole.any() and scale == 1
    whole, _ = quantize_centred(np.array([[1, np.nan]], np.float32))
    assert np.isnan(whole).any()


def _product(bias: str, scale: str = "ws") -> list[Any]:
    make = onnx.helper.make_node
    nodes = [
        make("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        make("MatMulInteger", ["q", "w", "z", "wz"], ["i"]),
        make("Cast", ["i"], ["f"], to=1),
        make("Mul", ["s", scale], ["both"]),
        make("Mul", ["f", "both"], ["y" if not bias else "m"]),
    ]
    return nodes + ([make("Add", ["m", bias], ["y"])] if bias else [])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.sampled_from([(1, 9), (2, 300), (7, 20), (1, 3, 40), (2, 1300)]),
    per_channel=st.booleans(),
    bias=st.sampled_from(["", "b", "wide"]),
    seed=st.integers(0, 999),
)
def test_a_fused_product_has_the_same_bits(
    tmp_path: Path, shape: tuple[int, ...], per_channel: bool, bias: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    outputs = (5,) if per_channel else ()
    weights = {
        "w": rng.integers(-64, 65, (shape[-1], 5)).astype(np.int8),
        "wz": rng.integers(-2, 3, outputs).astype(np.int8),
        "ws": rng.random(outputs).astype(np.float32),
        "b": rng.normal(size=5).astype(np.float32),
        "wide": rng.normal(size=(*shape[:-1], 5)).astype(np.float32),  # no bias: stays a sum of its own
    }
    x = {"x": rng.normal(size=shape).astype(np.float32)}
    used = {key: array for key, array in weights.items() if key in ("w", "wz", "ws", bias)}
    path = write_model(tmp_path / "m.onnx", _product(bias), x, {"y": (np.float32, None)}, used)
    graph = read_onnx(path)
    fused = [node.operator for node in fuse(graph.nodes, graph.weights, graph.outputs)]
    assert fused.count(SCALED_PRODUCT) == 1 and "MatMulInteger" not in fused
    assert ("Add" in fused) == (bias == "wide")
    q = {"q": (np.uint8, None), "y": (np.float32, None)}  # asked for, so that it cannot be fused
    plain = write_model(tmp_path / "plain.onnx", _product(bias), x, q, used)
    assert "MatMulInteger" in [n.operator for n in fuse(read_onnx(plain).nodes, used, q)]
    np.testing.assert_array_equal(Program.load(path).run(x)["y"], Program.load(plain).run(x)["y"])


def test_one_quantization_serves_several_products(tmp_path: Path) -> None:
    make = onnx.helper.make_node
    second = [
        make("MatMulInteger", ["q", "w", "z", "wz"], ["i2"]),
        make("Cast", ["i2"], ["f2"], to=1),
        make("Mul", ["s", "ws"], ["both2"]),
        make("Mul", ["f2", "both2"], ["y2"]),
    ]
    weights = {"w": np.eye(3, dtype=np.int8), "wz": np.zeros((), np.int8), "ws": np.float32(2)}
    x = {"x": np.array([[0, 127.5, 255]], np.float32)}
    outputs = {"y": (np.float32, None), "y2": (np.float32, None)}
    path = write_model(tmp_path / "m.onnx", [*_product(""), *second], x, outputs, weights)
    graph = read_onnx(path)
    assert len(fuse(graph.nodes, graph.weights, graph.outputs)) == 3
    got = Program.load(path).run(x)
    np.testing.assert_array_equal(got["y"], [[0, 256, 510]])
    np.testing.assert_array_equal(got["y"], got["y2"])
