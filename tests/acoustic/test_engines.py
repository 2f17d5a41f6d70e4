"""The contract of every engine, on the packaged models; engines that are not installed skip."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.acoustic import ENGINES, create_engine, installed_engines
from edge_asr.acoustic.chunking import AcousticModel, answer_frames
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.bundle import Bundle, available_models
from edge_asr.errors import BundleError
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc

SUBJECTS = [(engine, model) for engine in ENGINES for model in available_models()]
SAMPLE = Path(__file__).parents[2] / "edge_asr" / "samples" / "living-room-lights.flac"

# A last bit of a float before a rounding to 8 bits moves what follows: onnxruntime differs this much from
# itself without graph optimization (en-small, golden features: 0.05 at the most, 0.012 on average).
PROBABILITY_APART, LOG_PROB_APART = 0.05, 0.03


@pytest.fixture(params=SUBJECTS, ids="-".join)
def subject(request: pytest.FixtureRequest) -> tuple[Bundle, Any]:
    """A bundle and an engine on it."""
    name, model = request.param
    return _load(name, model)


@cache
def _loaded(name: str, model: str) -> tuple[Bundle, Any]:
    bundle = Bundle.load(model)
    return bundle, create_engine(name, bundle)


def _load(name: str, model: str) -> tuple[Bundle, Any]:
    if name not in installed_engines():
        pytest.skip(f"the engine {name} is not installed: pip install 'edge-asr[{name}]'")
    field = ENGINES[name].field
    if not getattr(Bundle.load(model).config.acoustic, field, None):
        pytest.skip(f"{model} brings no file for the engine {name} (acoustic.{field})")
    return _loaded(name, model)


@cache
def _features(model: str) -> Float32Array:
    """What the model hears of the bundled recording."""
    config = Bundle.load(model).config
    return cmvn(mfcc(read_audio(SAMPLE), config.mfcc), config.cmvn)


def _streamed(bundle: Bundle, engine: Any, parts: list[Float32Array]) -> Float32Array:
    model = AcousticModel(engine, bundle.config.acoustic)
    return np.concatenate([*(model.push(part) for part in parts), model.flush()])


def test_shapes_types_and_names(subject: tuple[Bundle, Any]) -> None:
    bundle, engine = subject
    config = bundle.config.acoustic
    start = engine.initial_state()
    assert engine.bins == len(bundle.config.cmvn.mean)
    assert {name: tensor.shape for name, tensor in start.items()} == {s.name: s.shape for s in config.states}
    assert not any(tensor.any() for tensor in start.values())
    features = _features(bundle.config.name)[: config.chunk_frames]
    log_probs, after = engine.step(features, start)
    assert log_probs.shape == (config.chunk_frames // config.subsampling, config.outputs)
    assert log_probs.dtype == np.float32
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, atol=1e-4)
    assert list(after) == list(start)
    assert all(after[n].shape == start[n].shape and after[n].dtype == np.float32 for n in start)
    assert any(after[n].any() for n in start)


def test_a_step_is_a_pure_function(subject: tuple[Bundle, Any]) -> None:
    bundle, engine = subject
    chunk = bundle.config.acoustic.chunk_frames
    features = _features(bundle.config.name)
    _, state = engine.step(features[:chunk], engine.initial_state())
    before = {name: tensor.copy() for name, tensor in state.items()}
    given_features = features[chunk : 2 * chunk].copy()
    first, after = engine.step(given_features, state)
    kept = first.copy()
    engine.step(features[:chunk], after)
    second, after_again = engine.step(given_features, state)
    np.testing.assert_array_equal(kept, first)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(given_features, features[chunk : 2 * chunk])
    for name in before:
        np.testing.assert_array_equal(state[name], before[name])
        np.testing.assert_array_equal(after[name], after_again[name])


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, 245), max_size=6))
def test_any_split_gives_the_same_bits(name: str, cuts: list[int]) -> None:
    bundle, engine = _load(name, "en-tiny")
    features = _features("en-tiny")
    parts = np.split(features, sorted(min(cut, len(features)) for cut in cuts))
    got = _streamed(bundle, engine, parts)
    assert len(got) == answer_frames(len(features), bundle.config.acoustic)
    np.testing.assert_array_equal(got, _streamed(bundle, engine, [features]))


def test_threads_share_an_engine(subject: tuple[Bundle, Any]) -> None:
    bundle, engine = subject
    features = _features(bundle.config.name)
    alone = [_streamed(bundle, engine, [features * loud]) for loud in (1.0, 0.5)]
    with ThreadPoolExecutor(4) as pool:
        together = list(
            pool.map(lambda n: _streamed(bundle, engine, [features * (1.0, 0.5)[n % 2]]), range(6))
        )
    for number, answers in enumerate(together):
        np.testing.assert_array_equal(answers, alone[number % 2])


def test_all_engines_say_the_same(subject: tuple[Bundle, Any]) -> None:
    """As onnxruntime, which the models are verified with when they are packed."""
    bundle, engine = subject
    _, reference = _load("onnx", bundle.config.name)
    features = _features(bundle.config.name)
    got, expected = (_streamed(bundle, one, [features]) for one in (engine, reference))
    matters = expected > -7
    assert np.abs(np.exp(got) - np.exp(expected)).max() < PROBABILITY_APART
    assert np.abs(got - expected)[matters].mean() < LOG_PROB_APART
    assert (got.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.98


def test_golden_vectors(subject: tuple[Bundle, Any]) -> None:
    bundle, engine = subject
    golden = bundle.golden()
    got, expected = _streamed(bundle, engine, [golden["features"]]), golden["log_probs"]
    assert np.abs(got - expected)[expected > -7].mean() < LOG_PROB_APART
    assert (got.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.95


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("damage", ["head", "tail", "garbage", "empty"])
def test_a_damaged_file_is_named(name: str, damage: str, tmp_path: Path) -> None:
    bundle, _ = _load(name, "en-tiny")
    file = getattr(bundle.config.acoustic, ENGINES[name].field)
    data = bundle.path(file).read_bytes()
    content = {
        "head": data[: len(data) // 3],
        "tail": data[len(data) // 3 :],
        "garbage": hashlib.sha256(b"").digest() * 100,
        "empty": b"",
    }
    (tmp_path / file).write_bytes(content[damage])
    with pytest.raises(BundleError, match=file):
        create_engine(name, Bundle(tmp_path, bundle.config))
