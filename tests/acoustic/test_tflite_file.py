from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tflite_models import edit, schema, write_graph

from edge_asr.acoustic.tflite_file import DEPTHWISE_CONV_2D, FLOAT32, FULLY_CONNECTED, INT8, TfliteFile
from edge_asr.errors import BundleError


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return write_graph(tmp_path / "graph.tflite", scales=np.array([0.01, 0.005, 0.004], np.float32))


def test_it_tells_what_the_schema_tells(graph: Path) -> None:
    file = TfliteFile.read(graph)
    (name,) = file.signatures
    step = file.signatures[name]
    assert name == "step"
    assert {n: t.shape for n, t in step.inputs.items()} == {"features": (4, 2), "memory_in": (1, 3)}
    assert {n: t.shape for n, t in step.outputs.items()} == {"log_probs": (2, 3), "memory_out": (1, 3)}
    operators = schema.BuiltinOperator
    assert [operator.code for operator in file.operators] == [
        operators.RESHAPE,
        operators.FULLY_CONNECTED,
        operators.ADD,
        operators.LOG_SOFTMAX,
        operators.SLICE,
    ]
    product = file.operators[1]
    x, weights = product.inputs  # there is no bias
    assert product.code == FULLY_CONNECTED and product.outputs[0].name == "product"
    assert (x.name, x.type, x.scales, x.constant) == ("spliced", FLOAT32, 0, False)
    assert (weights.name, weights.type, weights.scales, weights.constant) == ("weights", INT8, 3, True)
    assert weights.shape == (3, 4)


def test_numbers_of_the_schema() -> None:
    assert (FLOAT32, INT8) == (schema.TensorType.FLOAT32, schema.TensorType.INT8)
    operators = schema.BuiltinOperator
    numbers = (operators.DEPTHWISE_CONV_2D, operators.FULLY_CONNECTED)
    assert numbers == (DEPTHWISE_CONV_2D, FULLY_CONNECTED)


def test_operators_above_127_are_told(graph: Path) -> None:
    """The field of old holds 127 for them."""

    def change(model: object) -> None:
        code = model.operatorCodes[2]  # type: ignore[attr-defined]
        code.deprecatedBuiltinCode, code.builtinCode = 127, schema.BuiltinOperator.GELU

    edit(graph, change)
    assert TfliteFile.read(graph).operators[2].code == schema.BuiltinOperator.GELU > 127


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x1c\0\0\0TFL3", b"PK\3\4" * 20, b"\0" * 100])
def test_what_is_no_tflite_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tflite").write_bytes(content)
    with pytest.raises(BundleError, match=r"x\.tflite: not a TFLite file"):
        TfliteFile.read(tmp_path / "x.tflite")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"x\.tflite: cannot be read"):
        TfliteFile.read(tmp_path / "x.tflite")


def test_two_subgraphs_are_refused(graph: Path) -> None:
    edit(graph, lambda model: model.subgraphs.append(model.subgraphs[0]))
    with pytest.raises(BundleError, match="expected one subgraph, got 2"):
        TfliteFile.read(graph)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damage_is_read_or_refused_and_nothing_else(graph: Path, data: st.DataObject) -> None:
    sound = graph.read_bytes()
    spoiled = bytearray(sound[: data.draw(st.integers(0, len(sound)))])
    for _ in range(data.draw(st.integers(0, 3))):
        if spoiled:
            spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(st.integers(0, 255))
    damaged = graph.with_name("damaged.tflite")
    damaged.write_bytes(spoiled)
    try:
        TfliteFile.read(damaged)
    except BundleError as error:
        assert "damaged.tflite" in str(error)
