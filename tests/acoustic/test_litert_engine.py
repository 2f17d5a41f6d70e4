import dataclasses
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_models import BINS, CONFIG, edit, expected, schema, write_graph

from edge_asr.acoustic import litert
from edge_asr.acoustic.litert import LitertEngine
from edge_asr.config import StateConfig
from edge_asr.errors import BundleError, MissingExtraError, UsageError

CHANNELS, TENSOR = np.array([0.01, 0.005, 0.004], np.float32), np.array([0.01], np.float32)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_graph(tmp_path_factory.mktemp("tflite") / "graph.tflite")


def _features(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(4, BINS)).astype(np.float32)


def test_a_step_computes_the_graph_and_hands_the_state_on(graph: Path) -> None:
    engine = LitertEngine(graph, CONFIG, bins=BINS)
    log_probs, memory = expected(_features(0), np.zeros((1, 3)))
    answer, state = engine.step(_features(0), engine.initial_state())
    np.testing.assert_allclose(answer, log_probs, atol=1e-6)
    np.testing.assert_allclose(state["memory"], memory, atol=1e-6)
    log_probs, _ = expected(_features(1), memory)
    np.testing.assert_allclose(engine.step(_features(1), state)[0], log_probs, atol=1e-6)
    assert memory.any()


@pytest.mark.parametrize("scales", [CHANNELS, TENSOR], ids=["channel", "tensor"])
def test_int8_weights_are_right_in_both_granularities(tmp_path: Path, scales: np.ndarray) -> None:
    engine = LitertEngine(write_graph(tmp_path / "int8.tflite", scales=scales), CONFIG, bins=BINS)
    answer, _ = engine.step(_features(0), engine.initial_state())
    np.testing.assert_allclose(answer, expected(_features(0), np.zeros((1, 3)))[0], atol=0.02)


def test_a_step_is_pure(graph: Path) -> None:
    engine = LitertEngine(graph, CONFIG, bins=BINS)
    start = engine.initial_state()
    first, after = engine.step(_features(0), start)
    kept = first.copy(), after["memory"].copy()
    engine.step(_features(1), after)
    np.testing.assert_array_equal(first, kept[0])
    np.testing.assert_array_equal(after["memory"], kept[1])
    again, _ = engine.step(_features(0), start)
    np.testing.assert_array_equal(first, again)
    assert not start["memory"].any()
    with pytest.raises(ValueError, match="read-only"):
        after["memory"][:] = 0


def test_threads_share_an_engine(graph: Path) -> None:
    engine = LitertEngine(graph, CONFIG, bins=BINS)

    def run(seed: int) -> np.ndarray:
        state, answers = engine.initial_state(), []
        for i in range(30):
            answer, state = engine.step(_features(100 * seed + i), state)
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
        ({"states": ()}, 2, "input 'memory_in' is not in model.json"),
        ({"states": (StateConfig(name="cell", shape=(1, 3)),)}, 2, "'cell_in' is missing; .* memory_in"),
        ({"states": (StateConfig(name="memory", shape=(3,)),)}, 2, r"'memory_in' should be .* \(3,\)"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(
    graph: Path, change: dict[str, Any], bins: int, message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        LitertEngine(graph, dataclasses.replace(CONFIG, **change), bins=bins)


def test_another_type_is_refused(tmp_path: Path) -> None:
    def halve(model: Any) -> None:
        model.subgraphs[0].tensors[0].type = schema.TensorType.FLOAT16

    edit(write_graph(tmp_path / "half.tflite"), halve)
    with pytest.raises(BundleError, match=r"'features' should be tensor\(float\) .*, is type 1 of"):
        LitertEngine(tmp_path / "half.tflite", CONFIG, bins=BINS)


def test_a_graph_that_offers_something_else_is_refused(tmp_path: Path) -> None:
    path = write_graph(tmp_path / "other.tflite", signature="serving_default")
    with pytest.raises(BundleError, match="expected the signature 'step', got serving_default"):
        LitertEngine(path, CONFIG, bins=BINS)


def test_what_the_runtime_cannot_run_is_refused(tmp_path: Path) -> None:
    def unknown(model: Any) -> None:
        code = model.operatorCodes[0]
        code.deprecatedBuiltinCode = code.builtinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = "Wings"

    edit(write_graph(tmp_path / "custom.tflite"), unknown)
    with pytest.raises(BundleError, match=r"ai_edge_litert cannot load this graph: .*Wings"):
        LitertEngine(tmp_path / "custom.tflite", CONFIG, bins=BINS)


def test_wrong_arguments_are_named(graph: Path) -> None:
    with pytest.raises(UsageError, match="threads must be at least 1, got 0"):
        LitertEngine(graph, CONFIG, bins=BINS, threads=0)


def test_without_a_runtime_the_pip_line_is_named(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in (litert.CURRENT, litert.LEGACY):
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setitem(sys.modules, f"{package}.interpreter", None)
    with pytest.raises(MissingExtraError, match=r"ai-edge-litert.*pip install 'edge-asr\[litert\]'"):
        LitertEngine(graph, CONFIG, bins=BINS)


@pytest.mark.parametrize(
    ("scales", "refused"),
    [(CHANNELS, True), (TENSOR, False), (None, False)],
    ids=["channel", "tensor", "float"],
)
def test_the_old_runtime_is_not_given_what_it_gets_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scales: np.ndarray | None, refused: bool
) -> None:
    """tflite-runtime 2.14 answered with other words, and no error."""
    path = write_graph(tmp_path / "graph.tflite", scales=scales)
    package, interpreter = litert.find_interpreter()
    assert package == litert.CURRENT
    monkeypatch.setattr(litert, "find_interpreter", lambda: (litert.LEGACY, interpreter))
    if refused:
        with pytest.raises(
            BundleError, match=r"FULLY_CONNECTED .* 3 channels \(weights\).* --granularity tensor"
        ):
            LitertEngine(path, CONFIG, bins=BINS)
    else:
        LitertEngine(path, CONFIG, bins=BINS)
