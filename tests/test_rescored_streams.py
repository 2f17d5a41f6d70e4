"""The whole street with a neural language model in the bundle; its weights are random, so it changes much."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neural_lms import arrays_of, write
from street import SENTENCE, finals, run

from edge_asr import Final, Partial, Recognizer, Rejected
from edge_asr.arrays import Float32Array
from edge_asr.bundle import MODEL_JSON, NEURAL_LM, SEAL, Bundle
from edge_asr.config import RescoringConfig
from edge_asr.decoder.graph import Graph
from edge_asr.errors import BundleError

ALL = RescoringConfig(share=1.0, scale=8.0, within=30.0, settle_s=1.5)
"""The random model has the last word, and words settle within the sample."""


def with_neural_lm(
    directory: Path, rescoring: dict[str, Any] | None, arrays: dict[str, Any] | None = None
) -> Path:
    """The packaged bundle, with a model unless ``arrays`` is empty."""
    packaged = Bundle.load("en-small")
    shutil.copytree(packaged.directory, directory)
    (directory / SEAL).unlink()
    values = json.loads((directory / MODEL_JSON).read_text())
    values["decoder"]["rescoring"] = rescoring
    if arrays is None or arrays:
        data = write(directory / NEURAL_LM, arrays or arrays_of()).read_bytes()
        values["files"][NEURAL_LM] = hashlib.sha256(data).hexdigest()
    (directory / MODEL_JSON).write_text(json.dumps(values))
    return directory


@pytest.fixture(scope="module")
def rescored(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    folder = tmp_path_factory.mktemp("rescored")
    return Recognizer.load(with_neural_lm(folder / "bundle", dataclasses.asdict(ALL)))


def final(events: list[Any]) -> Final:
    [found] = [event for event in events if isinstance(event, Final)]
    return found


def test_the_final_follows_the_new_order(rescored: Recognizer, sample: Float32Array) -> None:
    stream = rescored.stream(nbest=6)
    found = final([*stream.accept_waveform(sample), *stream.finish()])
    assert found.text != SENTENCE, "nonsense weights prefer something else"
    assert found.text == found.nbest[0].text == " ".join(word.word for word in found.words)
    assert found.confidence == found.nbest[0].confidence
    assert SENTENCE in rescored_texts(rescored, sample)
    scores = [alternative.score for alternative in found.nbest]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) > 1
    starts = [word.start_s for word in found.words]
    assert starts == sorted(starts)


def rescored_texts(recognizer: Recognizer, sample: Float32Array) -> list[str]:
    stream = recognizer.stream(nbest=20)
    return [other.text for other in final([*stream.accept_waveform(sample), *stream.finish()]).nbest]


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 44_000), max_size=6))
def test_any_split_gives_the_same_and_stable_words_stay(
    rescored: Recognizer, sample: Float32Array, cuts: list[int]
) -> None:
    events = run(rescored, None, np.split(sample, sorted(cuts)))
    assert finals(events) == finals(run(rescored, None, [sample]))
    stable = [event.stable.split() for event in events if isinstance(event, Partial)]
    said = final(events).text.split()
    for words in stable:
        assert said[: len(words)] == words


def test_some_words_are_stable_before_the_end(rescored: Recognizer, sample: Float32Array) -> None:
    longer = np.concatenate([sample, np.zeros(24_000, dtype=np.float32)])
    events = run(rescored, None, np.split(longer, range(1600, longer.size, 1600)))
    stable = [event.stable for event in events if isinstance(event, Partial)]
    assert stable[-1] and final(events).text.startswith(stable[-1])


def test_without_rescoring_all_is_as_before(
    rescored: Recognizer, recognizer: Recognizer, sample: Float32Array, home: Graph
) -> None:
    stream = rescored.stream(rescore=False)
    events = [*stream.accept_waveform(sample), *stream.finish()]
    plain = recognizer.stream(rescore=False)
    assert events == [*plain.accept_waveform(sample), *plain.finish()]
    assert run(rescored, rescored.compile(["edge_asr/samples/home.yaml"]), [sample]) == run(
        recognizer, home, [sample]
    ), "a grammar is never re-scored"


def test_a_model_that_nobody_asks_for_changes_nothing(
    recognizer: Recognizer, sample: Float32Array, tmp_path: Path
) -> None:
    unused = Recognizer.load(with_neural_lm(tmp_path / "bundle", None))
    assert unused.rescorer() is None
    plain = recognizer.stream(rescore=False)
    assert run(unused, None, [sample]) == [*plain.accept_waveform(sample), *plain.finish()]


def test_noise_is_still_nothing_said(rescored: Recognizer, recognizer: Recognizer) -> None:
    rng = np.random.default_rng(2)
    for level in (0.0, 0.003, 0.05):
        noise = (level * rng.standard_normal(32_000)).astype(np.float32)
        ours, theirs = (
            [(type(event), event.reason) for event in finals(run(each, None, [noise]))]  # type: ignore[attr-defined]
            for each in (rescored, recognizer)
        )
        assert ours == theirs
        assert ours[0][0] is Rejected


def test_phrases_are_still_preferred(rescored: Recognizer, sample: Float32Array) -> None:
    stream = rescored.stream()
    stream.bias(rescored.phrases({SENTENCE: 40.0}))
    assert final([*stream.accept_waveform(sample), *stream.finish()]).text == SENTENCE


def test_a_missing_or_damaged_model_is_named(tmp_path: Path) -> None:
    lacking = with_neural_lm(tmp_path / "lacking", {}, {"nothing": np.zeros(1)})
    values = json.loads((lacking / MODEL_JSON).read_text())
    del values["files"][NEURAL_LM]
    (lacking / MODEL_JSON).write_text(json.dumps(values))
    with pytest.raises(BundleError, match=NEURAL_LM):
        Bundle.load(lacking)
    wrong = Recognizer.load(with_neural_lm(tmp_path / "wrong", {}, {**arrays_of(), "format": np.array([9])}))
    with pytest.raises(BundleError, match=r"neural-lm\.npz: expected format 1"):
        wrong.stream()
    with pytest.raises(BundleError, match=r"rescoring: unknown key 'shares'"):
        Bundle.load(with_neural_lm(tmp_path / "unknown", {"shares": 1}))
    changed = with_neural_lm(tmp_path / "changed", {})
    (changed / NEURAL_LM).write_bytes(b"other")
    with pytest.raises(BundleError, match="was changed"):
        Bundle.load(changed)
