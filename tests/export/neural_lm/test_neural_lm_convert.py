from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")

from edge_asr.bundle import NEURAL_LM  # noqa: E402
from edge_asr.decoder.neural_lm import NeuralLm  # noqa: E402
from export.__main__ import main  # noqa: E402
from export.neural_lm.checkpoint import load_pieces  # noqa: E402
from export.neural_lm.perplexity import piece_costs  # noqa: E402
from export.neural_lm.token_file import read_token_file  # noqa: E402
from export.neural_lm.verify import unpacked, verify  # noqa: E402


@pytest.fixture(scope="module")
def converted_lm(lm_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with both forms of the model."""
    folder = tmp_path_factory.mktemp("converted") / "run"
    shutil.copytree(lm_run, folder)
    assert main(["neural-lm-convert", str(folder)]) == 0
    return folder


def test_the_file_says_what_the_network_says(
    converted_lm: Path, lm_texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["neural-lm-verify", str(converted_lm), "--texts", str(lm_texts), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["agrees"] and said["rounding"] < 1e-4 and 0 < said["mean"] < 0.05
    assert said["perplexity"] < 3


def test_the_runtime_adds_up_words_as_training_does(converted_lm: Path, lm_texts: Path) -> None:
    checkpoint, content = load_pieces(converted_lm), read_token_file(lm_texts)
    sentence = "turn the garden lamp to a very blue"
    cuts = [content.pieces.encode(word) for word in sentence.split()]
    tokens = np.array([*(piece for cut in cuts for piece in cut), 0], dtype=np.uint16)
    costs = piece_costs(checkpoint.restore(), tokens, torch.device("cpu"))
    bounds = np.cumsum([0, *map(len, cuts)])
    [exact] = unpacked(checkpoint).score([sentence.split()])
    np.testing.assert_allclose(exact, -np.add.reduceat(costs, bounds), atol=1e-4)
    [packed] = NeuralLm.load(converted_lm / NEURAL_LM).score([sentence.split()])
    np.testing.assert_allclose(packed, exact, atol=0.5)


def test_a_file_of_other_weights_differs(converted_lm: Path, lm_texts: Path, tmp_path: Path) -> None:
    shutil.copytree(converted_lm, tmp_path / "run")
    path = tmp_path / "run" / NEURAL_LM
    with np.load(path) as file:
        arrays = dict(file)
    arrays["recurrent_0_scale"] *= 3
    np.savez_compressed(path, **arrays)
    command = ["neural-lm-verify", str(tmp_path / "run"), "--texts", str(lm_texts), "--sentences", "5"]
    assert main(command) == 1
    arrays["bias"] = np.full_like(arrays["bias"], 1e30)
    np.savez_compressed(path, **arrays)
    found = verify(load_pieces(tmp_path / "run"), path, read_token_file(lm_texts), sentences=5)
    assert not found.agrees


def test_what_is_missing_is_named(
    lm_run: Path, lm_texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["neural-lm-convert", str(tmp_path)]) != 0
    assert "neural-lm RECIPE" in capsys.readouterr().err
    shutil.copytree(lm_run, tmp_path / "run")
    assert main(["neural-lm-verify", str(tmp_path / "run"), "--texts", str(lm_texts)]) != 0
    assert "neural-lm-convert" in capsys.readouterr().err
    assert main(["neural-lm-verify", str(tmp_path / "run"), "--texts", str(tmp_path / "none.npz")]) != 0
    assert "neural-lm-texts" in capsys.readouterr().err
