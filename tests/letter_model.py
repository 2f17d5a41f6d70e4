"""A letter-to-phone model by hand: each letter has its phone, ``h`` and the apostrophe are silent."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edge_asr.bundle import G2P, MODEL_JSON, SEAL, TOKENS, Bundle
from edge_asr.decoder.g2p import LETTERS_KEY, TOKENS_KEY

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
PHONE_OF = {
    "'": "<blk>", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "<blk>",
    "i": "IH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R",
    "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K", "y": "IY", "z": "Z",
}  # fmt: skip


def write_letter_model(path: Path, tokens: Sequence[str], /, **metadata: str) -> Path:
    """Write the model for an acoustic model's tokens; ``metadata`` replaces what the file says of itself."""
    onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    helper, kinds = onnx.helper, onnx.TensorProto
    table = np.full((len(LETTERS), len(tokens)), -9.0, dtype=np.float32)
    for number, letter in enumerate(LETTERS):
        table[number, tokens.index(PHONE_OF[letter])] = -0.01
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "letters"], ["log_probs"])],
        "letters",
        [helper.make_tensor_value_info("letters", kinds.INT64, ["words", "length"])],
        [helper.make_tensor_value_info("log_probs", kinds.FLOAT, ["words", "frames", len(tokens)])],
        [onnx.numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {LETTERS_KEY: LETTERS, TOKENS_KEY: " ".join(tokens)} | metadata)
    onnx.save(model, path)
    return path


def bundle_with_letter_model(bundle: Bundle, directory: Path) -> Bundle:
    """A copy of a bundle that guesses by the model above."""
    shutil.copytree(bundle.directory, directory)
    model = write_letter_model(directory / G2P, (directory / TOKENS).read_text().split())
    values = json.loads((directory / MODEL_JSON).read_text())
    values["files"][G2P] = hashlib.sha256(model.read_bytes()).hexdigest()
    (directory / MODEL_JSON).write_text(json.dumps(values))
    (directory / SEAL).unlink()  # as for every model.json that was changed by hand
    return Bundle.load(directory)


def bundle_without_letter_model(bundle: Bundle) -> Bundle:
    """The bundle as one that brings nothing to guess with."""
    files = {file: sha256 for file, sha256 in bundle.config.files.items() if file != G2P}
    config = dataclasses.replace(bundle.config, files=files, language="und")  # the package has none for it
    return dataclasses.replace(bundle, config=config)
