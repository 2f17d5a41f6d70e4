"""Which engine runs where none is asked for, and what is said where one cannot."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from typing import Any

import pytest

from edge_asr import acoustic
from edge_asr.acoustic import ENGINES, EngineEntry, choose_engine, create_engine, installed_engines
from edge_asr.bundle import Bundle
from edge_asr.cli import main
from edge_asr.errors import BundleError, MissingExtraError, UsageError
from edge_asr.recognizer import Recognizer

FILE_OF_ITS_OWN = EngineEntry(
    path="edge_asr.acoustic.numpy:NumpyEngine", packages=("of_its_own",), field="lookahead_file"
)


@pytest.fixture
def without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)


@pytest.fixture
def other_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is installed and reads a file that bundles may lack."""
    monkeypatch.setattr(acoustic, "ENGINES", {"other": FILE_OF_ITS_OWN, **ENGINES})
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: object() if name == "of_its_own" else find_spec(name)
    )


def test_numpy_is_always_there_and_the_last_choice(without_onnxruntime: None) -> None:
    assert list(ENGINES)[-1] == "numpy"
    assert "numpy" in installed_engines() and "onnx" not in installed_engines()


def test_the_first_that_is_installed_is_chosen() -> None:
    config = Bundle.load("en-tiny").config.acoustic
    assert choose_engine(config, ["numpy", "onnx"]) == "onnx"
    assert choose_engine(config, ["numpy"]) == "numpy"
    with pytest.raises(BundleError, match="no file for an engine that is installed"):
        choose_engine(config, ["abacus"])


@pytest.mark.usefixtures("other_engine")
def test_an_engine_is_passed_over_for_which_the_bundle_has_no_file() -> None:
    config = Bundle.load("en-tiny").config.acoustic
    assert choose_engine(config, ["other", "numpy"]) == "numpy"

    class WithFile:
        graph, lookahead_file = config.graph, "other.bin"

    brings: Any = WithFile()
    assert choose_engine(brings, ["other", "numpy"]) == "other"


@pytest.mark.usefixtures("other_engine")
def test_asking_for_it_names_the_field_and_the_engines_that_work() -> None:
    with pytest.raises(BundleError, match=r"acoustic\.lookahead_file .* choose the engine onnx or numpy"):
        create_engine("other", Bundle.load("en-tiny"))


def test_a_missing_package_is_named_with_its_pip_line(without_onnxruntime: None) -> None:
    with pytest.raises(MissingExtraError, match=r"needs the package onnxruntime.*edge-asr\[onnx\]"):
        create_engine("onnx", Bundle.load("en-tiny"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("abacus", "no engine 'abacus'; there are onnx, .*numpy"),
        ("numpy:cuda", "expected an engine, or one with its provider"),
        ("onnx:", "expected an engine, or one with its provider"),
    ],
)
def test_wrong_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        create_engine(name, Bundle.load("en-tiny"))


def test_the_recognizer_says_which(without_onnxruntime: None) -> None:
    assert Recognizer.load("en-tiny").engine == "numpy"
    assert Recognizer.load("en-tiny", engine="numpy").engine == "numpy"


def test_without_onnxruntime_the_command_line_works(
    without_onnxruntime: None, repository: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = repository / "edge_asr" / "samples" / "living-room-lights.flac"
    assert main(["transcribe", "--json", "--model", "en-tiny", str(sample)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["engine"], "lights" in result["text"]) == ("numpy", True)
    assert main(["transcribe", "--engine", "onnx", str(sample)]) == MissingExtraError.exit_code
    assert "pip install 'edge-asr[onnx]'" in capsys.readouterr().err


def test_letters_become_phones_without_onnxruntime(without_onnxruntime: None, tmp_path: Any) -> None:
    from letter_model import write_letter_model

    from edge_asr.acoustic.inference.program import Program
    from edge_asr.acoustic.runner import open_runner
    from edge_asr.decoder.g2p import G2p
    from edge_asr.decoder.tokens import Tokens

    bundle = Bundle.load("en-tiny")
    tokens = Tokens.load(bundle.path("tokens.txt"))
    path = write_letter_model(tmp_path / "g2p.onnx", tokens.names)
    assert isinstance(open_runner(path), Program)
    said = G2p(path, tokens).pronounce("bat")
    assert [tokens.names[phone] for phone in said] == ["B", "AE", "T"]


def test_a_graph_that_model_json_does_not_vouch_for_is_not_read() -> None:
    bundle = Bundle.load("en-tiny")
    config = dataclasses.replace(bundle.config, files={})
    with pytest.raises(BundleError, match="has no file"):
        create_engine("numpy", Bundle(bundle.directory, config))
