"""Copies of models for the engine litert: only those of the very model are measured."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from benchmarks.tflite_copies import with_tflite
from edge_asr.bundle import Bundle
from edge_asr.errors import UsageError
from export.pack import write_bundle

MODEL = "en-tiny"


def _copy(directory: Path, *, tflite: str | None, changed: str | None = None) -> None:
    bundle = Bundle.load(MODEL)
    files = {file: bundle.path(file).read_bytes() for file in bundle.config.files}
    if tflite:
        files[tflite] = b"TFL3"
    if changed:
        files[changed] += b"\n"
    config = dataclasses.replace(
        bundle.config,
        acoustic=dataclasses.replace(bundle.config.acoustic, tflite=tflite),
        files={file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    )
    write_bundle(directory, files, config)


def test_without_a_folder_it_is_the_model_itself() -> None:
    assert with_tflite(MODEL, None) == MODEL


def test_a_copy_of_the_model_is_taken(tmp_path: Path) -> None:
    _copy(tmp_path / MODEL, tflite="acoustic.int8.tflite", changed="CARD.md")
    assert with_tflite(MODEL, tmp_path) == str(tmp_path / MODEL)


def test_what_is_no_such_copy_is_refused_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"make it: python -m export add-tflite en-tiny .*/en-tiny$"):
        with_tflite(MODEL, tmp_path)
    _copy(tmp_path / MODEL, tflite=None)
    with pytest.raises(UsageError, match="has no TFLite graph"):
        with_tflite(MODEL, tmp_path)
    _copy(tmp_path / "other" / MODEL, tflite="acoustic.int8.tflite", changed="tokens.txt")
    with pytest.raises(UsageError, match=r"another en-tiny \(tokens.txt differs\)"):
        with_tflite(MODEL, tmp_path / "other")
