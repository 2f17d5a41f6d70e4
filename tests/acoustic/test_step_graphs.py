"""What every engine keeps that reads ONNX files, on a graph small enough to compute by hand."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import STEP_WEIGHTS, write_step

from edge_asr.acoustic import ENGINES, create_engine, installed_engines
from edge_asr.bundle import Bundle
from edge_asr.config import AcousticConfig, BundleConfig, CmvnConfig, DecoderConfig, MfccConfig, StateConfig
from edge_asr.errors import BundleError, UsageError

CONFIG = AcousticConfig(
    graph="graph.onnx",
    chunk_frames=4,
    subsampling=2,
    lookahead_frames=0,
    outputs=3,
    states=(StateConfig(name="memory", shape=(1, 3)),),
)
SUBJECTS = [name for name, entry in ENGINES.items() if entry.field == "graph"]


@pytest.fixture(params=SUBJECTS)
def name(request: pytest.FixtureRequest) -> str:
    engine: str = request.param
    if engine not in installed_engines():
        pytest.skip(f"the engine {engine} is not installed")
    return engine


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_step(tmp_path_factory.mktemp("step") / "graph.onnx")


def load(name: str, graph: Path, config: AcousticConfig = CONFIG, bins: int = 2) -> Any:
    bundle = BundleConfig(
        schema=1,
        name="tiny",
        language="en",
        mfcc=MfccConfig(cepstra=bins),
        cmvn=CmvnConfig(mean=(0.0,) * bins, scale=(1.0,) * bins),
        acoustic=dataclasses.replace(config, graph=graph.name),
        decoder=DecoderConfig(),
        files={graph.name: ""},
    )
    return create_engine(name, Bundle(graph.parent, bundle))


def _expected(features: np.ndarray, memory: np.ndarray) -> np.ndarray:
    total = features.reshape(2, 4) @ STEP_WEIGHTS + memory
    return total - np.log(np.exp(total).sum(axis=1, keepdims=True))


def test_a_step_computes_the_graph_and_hands_the_state_on(name: str, graph: Path) -> None:
    engine = load(name, graph)
    assert engine.bins == 2
    assert engine.initial_state().nbytes == 12
    features = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    first, after = engine.step(features, engine.initial_state())
    np.testing.assert_allclose(first, _expected(features, np.zeros((1, 3))), atol=1e-6)
    second, _ = engine.step(features, after)
    np.testing.assert_allclose(second, _expected(features, after["memory"]), atol=1e-6)
    assert after["memory"].any()


def test_a_step_is_pure(name: str, graph: Path) -> None:
    engine = load(name, graph)
    features = np.ones((4, 2), np.float32)
    start = engine.initial_state()
    first, after = engine.step(features, start)
    kept, memory = first.copy(), after["memory"].copy()
    engine.step(-features, after)
    again, after_again = engine.step(features, start)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(after["memory"], memory)
    np.testing.assert_array_equal(after["memory"], after_again["memory"])
    assert features.all() and not start["memory"].any()
    with pytest.raises(ValueError, match="read-only"):
        after["memory"][:] = 0


def test_answers_may_be_overwritten(name: str, graph: Path) -> None:
    engine = load(name, graph)
    features = np.ones((4, 2), np.float32)
    log_probs, after = engine.step(features, engine.initial_state())
    expected, memory = engine.step(features, after)[0], after["memory"].copy()
    log_probs[:] = 99
    np.testing.assert_array_equal(after["memory"], memory)
    np.testing.assert_array_equal(engine.step(features, after)[0], expected)


def test_threads_share_an_engine(name: str, graph: Path) -> None:
    engine = load(name, graph)

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
    name: str, graph: Path, change: dict[str, Any], bins: int, message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        load(name, graph, dataclasses.replace(CONFIG, **change), bins)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "zeros", "missing"])
def test_a_file_that_is_no_graph_is_refused(name: str, graph: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "graph.onnx"
    data = graph.read_bytes()
    content = {"truncated": data[: len(data) // 2], "garbage": b"\x07" * 500, "empty": b"", "zeros": bytes(9)}
    if damage in content:
        path.write_bytes(content[damage])
    with pytest.raises(BundleError, match=r"graph\.onnx"):
        load(name, path)


def test_wrong_arguments_are_named(name: str, graph: Path) -> None:
    with pytest.raises(UsageError, match="threads"):
        create_engine(name, Bundle.load("en-tiny"), threads=0)
