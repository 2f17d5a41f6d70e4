import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asr.acoustic import create_engine
from edge_asr.acoustic.onnx import OnnxEngine
from edge_asr.bundle import Bundle
from edge_asr.config import AcousticConfig, BundleConfig, CmvnConfig, DecoderConfig, MfccConfig, StateConfig
from edge_asr.errors import BundleError, UsageError

pytest.importorskip("onnxruntime", reason="needs onnxruntime")
onnx = pytest.importorskip("onnx", reason="needs onnx to build a graph")

CONFIG = AcousticConfig(
    graph="graph.onnx",
    chunk_frames=4,
    subsampling=2,
    lookahead_frames=0,
    outputs=3,
    states=(StateConfig(name="memory", shape=(1, 3)),),
)
WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) / 10


def _write_graph(path: Path) -> Path:
    """log_probs = log_softmax(pairs of frames @ W + memory); memory' = memory + last row of the product."""
    make, float32 = onnx.helper, onnx.TensorProto.FLOAT
    constants = {
        "weights": WEIGHTS,
        "pairs": np.array([2, 4], np.int64),
        "last": np.array([1], np.int64),
    }
    graph = make.make_graph(
        [
            make.make_node("Reshape", ["features", "pairs"], ["spliced"]),
            make.make_node("MatMul", ["spliced", "weights"], ["product"]),
            make.make_node("Add", ["product", "memory_in"], ["sum"]),
            make.make_node("LogSoftmax", ["sum"], ["log_probs"], axis=-1),
            make.make_node("Gather", ["sum", "last"], ["memory_out"], axis=0),
        ],
        "step",
        [
            make.make_tensor_value_info("features", float32, [4, 2]),
            make.make_tensor_value_info("memory_in", float32, [1, 3]),
        ],
        [
            make.make_tensor_value_info("memory_out", float32, [1, 3]),
            make.make_tensor_value_info("log_probs", float32, [2, 3]),
        ],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write_graph(tmp_path_factory.mktemp("onnx") / "graph.onnx")


def _expected(features: np.ndarray, memory: np.ndarray) -> np.ndarray:
    total = features.reshape(2, 4) @ WEIGHTS + memory
    return total - np.log(np.exp(total).sum(axis=1, keepdims=True))


def test_a_step_computes_the_graph_and_hands_the_state_on(graph: Path) -> None:
    engine = OnnxEngine(graph, CONFIG, bins=2)
    features = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    start = engine.initial_state()
    first, after = engine.step(features, start)
    np.testing.assert_allclose(first, _expected(features, np.zeros((1, 3))), atol=1e-6)
    second, _ = engine.step(features, after)
    np.testing.assert_allclose(second, _expected(features, after["memory"]), atol=1e-6)
    assert after["memory"].any()


def test_a_step_is_pure(graph: Path) -> None:
    engine = OnnxEngine(graph, CONFIG, bins=2)
    features = np.ones((4, 2), np.float32)
    start = engine.initial_state()
    first, after = engine.step(features, start)
    again, after_again = engine.step(features, start)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(after["memory"], after_again["memory"])
    assert not start["memory"].any()
    with pytest.raises(ValueError, match="read-only"):
        after["memory"][:] = 0


def test_threads_share_an_engine(graph: Path) -> None:
    engine = OnnxEngine(graph, CONFIG, bins=2)

    def run(seed: int) -> np.ndarray:
        rng, state, answers = np.random.default_rng(seed), engine.initial_state(), []
        for _ in range(30):
            answer, state = engine.step(rng.normal(size=(4, 2)).astype(np.float32), state)
            answers.append(answer)
        return np.concatenate(answers)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, range(8)))
    for seed, answers in enumerate(together):
        np.testing.assert_array_equal(answers, run(seed))


@pytest.mark.parametrize(
    ("change", "bins", "message"),
    [
        ({}, 3, r"input 'features' should be tensor\(float\) of shape \(4, 3\), is .* of \(4, 2\)"),
        ({"chunk_frames": 6}, 2, "input 'features' should be"),
        ({"outputs": 5}, 2, r"output 'log_probs' should be .* \(2, 5\)"),
        ({"states": ()}, 2, r"input 'memory_in' is not in model\.json"),
        ({"states": (StateConfig(name="cell", shape=(1, 3)),)}, 2, "input 'cell_in' is missing"),
        ({"states": (StateConfig(name="memory", shape=(3, 1)),)}, 2, "input 'memory_in' should be"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(
    graph: Path, change: dict[str, Any], bins: int, message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        OnnxEngine(graph, dataclasses.replace(CONFIG, **change), bins=bins)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "missing"])
def test_a_file_that_is_no_graph_is_refused(graph: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "graph.onnx"
    data = graph.read_bytes()
    content = {"truncated": data[: len(data) // 2], "garbage": b"\x07" * 500, "empty": b""}
    if damage in content:
        path.write_bytes(content[damage])
    with pytest.raises(BundleError, match=r"graph\.onnx"):
        OnnxEngine(path, CONFIG, bins=2)


def _bundle(directory: Path) -> Bundle:
    config = BundleConfig(
        schema=1,
        name="tiny",
        language="en",
        mfcc=MfccConfig(cepstra=2),
        cmvn=CmvnConfig(mean=(0.0, 0.0), scale=(1.0, 1.0)),
        acoustic=CONFIG,
        decoder=DecoderConfig(),
        files={"graph.onnx": ""},
    )
    return Bundle(directory, config)


def test_an_engine_is_made_by_name(graph: Path) -> None:
    engine = create_engine("onnx", _bundle(graph.parent), threads=1)
    assert engine.bins == 2
    assert engine.initial_state().nbytes == 12


def test_wrong_arguments_are_named(graph: Path) -> None:
    with pytest.raises(UsageError, match="no engine 'abacus'; there are onnx"):
        create_engine("abacus", _bundle(graph.parent))
    with pytest.raises(UsageError, match="threads"):
        create_engine("onnx", _bundle(graph.parent), threads=0)
