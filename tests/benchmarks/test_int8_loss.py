"""What a graph that takes another's place in a bundle changes, and how sure that is."""

from __future__ import annotations

import copy
import dataclasses
import shutil
from argparse import ArgumentTypeError
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")
pytest.importorskip("pyroomacoustics", reason="rooms need pyroomacoustics (the extra train)")
pytest.importorskip("torch", reason="needs torch (the extra train)")

import torch

from benchmarks.int8_loss import losses
from benchmarks.listening import Answer
from benchmarks.paired import difference, word_errors, wrong_sentences
from benchmarks.swapped import Subject, distinct, subject, swap_graph
from edge_asr.acoustic import create_engine
from edge_asr.bundle import GOLDEN, Bundle
from edge_asr.errors import UsageError
from export.checkpoint import MODEL_FILE, save_checkpoint
from export.forms import RECIPES
from export.rundir import INT8_GRAPH, RunDir
from export.unpack import unpack


def _answers(*errors: int, words: int = 4) -> list[Answer]:
    return [Answer(words=words, errors=each) for each in errors]


def test_answers_count_edits_between_words() -> None:
    assert Answer.of("turn on the light", "turn the lights") == Answer(words=4, errors=2)
    assert Answer.of("stop", "") == Answer(words=1, errors=1)


def test_rates_are_of_words_or_of_sentences() -> None:
    before, after = _answers(0, 2, 0, 0), _answers(0, 2, 1, 3)
    words, sentences = word_errors(before, after), wrong_sentences(before, after)
    assert (words.before, words.after, words.lost) == (2 / 16, 6 / 16, 4 / 16)
    assert (sentences.before, sentences.after, sentences.lost) == (0.25, 0.75, 0.5)


def test_what_hears_the_same_has_lost_nothing_for_sure() -> None:
    same = word_errors(_answers(1, 0, 3), _answers(1, 0, 3))
    assert same.lost == same.low == same.high == 0.0


def test_the_interval_is_that_of_the_normal_law_where_recordings_are_many() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.integers(0, 3, 2000), rng.integers(0, 3, 2000)
    found = difference(before, after, np.full(2000, 5), resamples=2000)
    deviation = float((after - before).std()) / 5 / np.sqrt(2000)
    assert found.low == pytest.approx(found.lost - 1.96 * deviation, abs=0.15 * deviation)
    assert found.high == pytest.approx(found.lost + 1.96 * deviation, abs=0.15 * deviation)


def test_only_the_same_recordings_can_be_compared() -> None:
    with pytest.raises(ValueError, match="as many of each, at least one, got 1, 2, 1"):
        word_errors(_answers(1), _answers(1, 2))
    with pytest.raises(ValueError, match="got 0, 0, 0"):
        word_errors([], [])


def test_losses_are_above_zero_where_int8_is_worse() -> None:
    free = {"float": _answers(0, 1), "int8": _answers(1, 1)}
    held = {"float": _answers(0, 0), "int8": _answers(0, 2)}
    found = losses({"librispeech": free, "commonvoice": free, "grid": held})
    assert [*found] == ["librispeech", "commonvoice", "free text", "grid"]
    assert (found["librispeech"]["float"], found["librispeech"]["int8"]) == (0.125, 0.25)
    assert found["librispeech"]["lost"] == found["free text"]["lost"] == 0.125
    assert (found["grid"]["float"], found["grid"]["int8"], found["grid"]["lost"]) == (1.0, 0.5, 0.5)
    assert (found["free text"]["utterances"], found["free text"]["differ"]) == (4, 2)


def test_a_run_names_its_bundle_or_is_called_like_it() -> None:
    assert subject("runs/en-tiny") == Subject(run_dir=Path("runs/en-tiny"), bundle="en-tiny")
    mine = subject("runs/mine=en-tiny")
    assert (mine.name, mine.bundle) == ("mine", "en-tiny")
    with pytest.raises(ArgumentTypeError, match=r"no packaged model is called mine: .* runs/mine=en-"):
        subject("runs/mine")


def test_results_tell_runs_apart_by_name() -> None:
    one, other = subject("a/en-tiny"), subject("b/en-small")
    assert distinct([one, other]) == [one, other]
    with pytest.raises(UsageError, match="different names, got en-tiny twice"):
        distinct([one, other, subject("b/en-tiny")])


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The smallest packaged model as a run: its weights, and its graph under the name that convert gives."""
    pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    folder, bundle = tmp_path_factory.mktemp("run"), Bundle.load("en-tiny")
    save_checkpoint(folder / MODEL_FILE, unpack(bundle, RECIPES / "en-tiny.toml"))
    shutil.copy(bundle.path(bundle.config.acoustic.graph), folder / INT8_GRAPH)
    return RunDir.load(folder)


def test_a_bundle_with_its_own_graph_swapped_in_is_the_same(run_dir: RunDir, tmp_path: Path) -> None:
    bundle = Bundle.load("en-tiny")
    assert swap_graph(bundle, run_dir, INT8_GRAPH, tmp_path / "swapped") == "onnx"
    swapped = Bundle.load(tmp_path / "swapped")
    assert swapped.config.acoustic == bundle.config.acoustic
    assert set(bundle.config.files) - set(swapped.config.files) == {GOLDEN}
    same = {"files": bundle.config.files}
    assert dataclasses.replace(swapped.config, **same) == bundle.config
    assert all(bundle.config.files[file] == sha256 for file, sha256 in swapped.config.files.items())


def test_a_tflite_graph_is_named_beside_the_bundles_own(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_dir.path / "acoustic.int8.tflite").write_bytes(b"a graph")
    config = run_dir.engine(INT8_GRAPH)
    monkeypatch.setattr(RunDir, "engine", lambda self, graph: config)
    assert (
        swap_graph(Bundle.load("en-tiny"), run_dir, "acoustic.int8.tflite", tmp_path / "swapped") == "litert"
    )
    swapped = Bundle.load(tmp_path / "swapped")
    assert swapped.config.acoustic.tflite == "acoustic.int8.tflite"
    assert swapped.path("acoustic.int8.tflite").read_bytes() == b"a graph"
    create_engine("numpy", swapped)  # its own graph is there as well


def test_other_tokens_are_no_words_of_the_bundle(run_dir: RunDir, tmp_path: Path) -> None:
    tokens = ("<blk>", "ZZ", *run_dir.checkpoint.tokens[2:])
    other = dataclasses.replace(run_dir, checkpoint=dataclasses.replace(run_dir.checkpoint, tokens=tokens))
    with pytest.raises(UsageError, match=r"another front-end or other tokens than .*name another bundle"):
        swap_graph(Bundle.load("en-tiny"), other, INT8_GRAPH, tmp_path / "swapped")
    assert not (tmp_path / "swapped").exists()


def test_a_graph_of_an_earlier_training_is_refused(run_dir: RunDir, tmp_path: Path) -> None:
    trained_on = copy.deepcopy(run_dir.network)
    with torch.no_grad():
        for weights in trained_on.parameters():
            weights.mul_(0.5)
    with pytest.raises(UsageError, match=r"acoustic\.int8\.onnx: does not answer what model\.pt answers"):
        swap_graph(
            Bundle.load("en-tiny"),
            dataclasses.replace(run_dir, network=trained_on),
            INT8_GRAPH,
            tmp_path / "swapped",
        )
