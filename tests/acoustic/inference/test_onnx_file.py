"""ONNX files, against the package onnx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.acoustic.inference.onnx_file import DTYPES, parse_onnx, read_onnx
from edge_asr.acoustic.inference.program import Program
from edge_asr.acoustic.inference.protobuf import WireError
from edge_asr.bundle import Bundle, available_models
from edge_asr.errors import BundleError

onnx = pytest.importorskip("onnx", reason="needs onnx to write files")
from onnx_models import write_step  # noqa: E402

OPSET = [onnx.helper.make_opsetid("", 18)]


@pytest.mark.parametrize("name", available_models())
def test_a_packaged_model_is_read_as_onnx_reads_it(name: str) -> None:
    bundle = Bundle.load(name)
    path = bundle.path(bundle.config.acoustic.graph)
    got, expected = read_onnx(path), onnx.load(path)
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in expected.graph.initializer}
    assert got.weights.keys() == weights.keys()
    for key, array in weights.items():
        np.testing.assert_array_equal(got.weights[key], array, strict=True)
    for node, other in zip(got.nodes, expected.graph.node, strict=True):
        assert (node.name, node.operator) == (other.name, other.op_type)
        assert (node.inputs, node.outputs) == (tuple(other.input), tuple(other.output))
        assert node.attributes == {a.name: onnx.helper.get_attribute_value(a) for a in other.attribute}
    assert list(got.inputs) == [value.name for value in expected.graph.input]
    assert list(got.outputs) == [value.name for value in expected.graph.output]
    assert got.inputs["features"].shape == (6, 40) and got.inputs["features"].kind == "tensor(float)"
    assert (got.opset, got.metadata["onnx.infer"]) == (18, "onnxruntime.quant")


def _tensor_only(tensor: Any) -> bytes:
    node = onnx.helper.make_node("Identity", ["w"], ["y"])
    output = onnx.helper.make_tensor_value_info("y", tensor.data_type, None)
    graph = onnx.helper.make_graph([node], "g", [], [output], [tensor])
    model: bytes = onnx.helper.make_model(graph, opset_imports=OPSET).SerializeToString()
    return model


@given(
    st.sampled_from(sorted(DTYPES.values(), key=str)),
    st.lists(st.integers(0, 3), max_size=3),
    st.booleans(),
    st.integers(0, 99),
)
def test_weights_of_any_type_and_shape(dtype: Any, shape: list[int], raw: bool, seed: int) -> None:
    array = np.random.default_rng(seed).integers(0, 2, shape).astype(dtype)
    number = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    values = array.tobytes() if raw else array.ravel().tolist()
    try:
        tensor = onnx.helper.make_tensor("w", number, shape, values, raw=raw)
        got = parse_onnx(_tensor_only(tensor)).weights["w"]
    except WireError as error:  # written as uint64_data or double_data, as nobody writes weights
        assert not raw and dtype in (np.float64, np.uint32, np.uint64) and "written in a way" in str(error)
        return
    np.testing.assert_array_equal(got, array, strict=True)


def test_what_cannot_be_followed_is_refused() -> None:
    tensor = onnx.numpy_helper.from_array(np.ones(3, np.float32), "w")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    with pytest.raises(WireError, match="stand in another file"):
        parse_onnx(_tensor_only(tensor))
    tensor = onnx.numpy_helper.from_array(np.ones(3, np.float32), "w")
    tensor.dims[0] = 1 << 40
    with pytest.raises(WireError, match=r"of shape \(1099511627776,\) have 3 values"):
        parse_onnx(_tensor_only(tensor))
    with pytest.raises(WireError, match="of a type"):
        parse_onnx(_tensor_only(onnx.helper.make_tensor("w", onnx.TensorProto.STRING, [1], [b"a"])))


@pytest.fixture(scope="module")
def step(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_step(tmp_path_factory.mktemp("file") / "graph.onnx").read_bytes()


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_a_changed_byte_is_an_error_or_another_graph(step: bytes, at: int, byte: int, cut: bool) -> None:
    """Nothing but BundleError ever leaves, whatever stands in the file."""
    at %= len(step)
    changed = step[:at] if cut else step[:at] + bytes([byte]) + step[at + 1 :]
    try:
        program = Program(parse_onnx(changed), Path("graph.onnx"))
        program.run({name: np.zeros((4, 2), np.float32) for name in program.inputs})
    except (WireError, BundleError) as error:
        assert str(error)
