from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")
pytest.importorskip("torch", reason="needs torch (the extra train)")

from edge_asr.bundle import G2P, Bundle  # noqa: E402
from edge_asr.decoder.g2p import G2p  # noqa: E402
from edge_asr.decoder.tokens import Tokens  # noqa: E402
from edge_asr.recognizer import Recognizer  # noqa: E402
from export.__main__ import main  # noqa: E402
from export.g2p import convert as converting  # noqa: E402
from export.g2p import verify as verifying  # noqa: E402
from export.g2p.checkpoint import TOKENS, load_g2p  # noqa: E402
from export.g2p.convert import held_out_errors, held_out_words  # noqa: E402


def phones(g2p: G2p, word: str) -> str:
    return " ".join(g2p.tokens.names[token] for token in g2p.pronounce(word))


def test_the_runtime_says_words_as_the_rules_do(tiny_run: Path) -> None:
    g2p = G2p(tiny_run / G2P, Tokens(TOKENS))
    assert phones(g2p, "Cibox") == "S IH B AA K S"
    assert phones(g2p, "b") == "B IY"


def test_large_weights_are_int8_and_nothing_else_is_large(tiny_run: Path) -> None:
    graph = onnx.load(tiny_run / G2P).graph
    kinds = {onnx.TensorProto.INT8: 0, onnx.TensorProto.FLOAT: 0, onnx.TensorProto.INT64: 0}
    for tensor in graph.initializer:
        kinds[tensor.data_type] += int(np.prod(tensor.dims))
    weights = sum(w.numel() for w in load_g2p(tiny_run).weights.values())
    assert kinds[onnx.TensorProto.INT8] > 0.75 * weights
    assert kinds[onnx.TensorProto.FLOAT] < 0.35 * weights
    assert {node.op_type for node in graph.node} >= {"LSTM", "DequantizeLinear"}


def test_the_file_says_what_it_gets_wrong(tiny_run: Path) -> None:
    errors = held_out_errors(G2p(tiny_run / G2P, Tokens(TOKENS)))
    assert errors.words == len(held_out_words(load_g2p(tiny_run)))
    assert errors.word_error < 0.15


def test_the_file_agrees_with_the_network(tiny_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["g2p-verify", str(tiny_run), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["agrees"]
    assert report["same"] >= 0.97
    assert 0 < report["mean_log_prob"] < 0.05
    assert main(["g2p-verify", str(tiny_run)]) == 0
    assert capsys.readouterr().out.endswith("\nagrees\n")


@pytest.mark.parametrize("harm", ["noise", "zeros", "nan"])
def test_a_file_with_other_weights_differs(
    tmp_path: Path, tiny_run: Path, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    """It loads and runs, and answers garbage."""
    run = shutil.copytree(tiny_run, tmp_path / "run")
    model = onnx.load(run / G2P)
    rng = np.random.default_rng(0)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if tensor.name.endswith("_scale"):
            factor = {"noise": rng.uniform(0.5, 1.5, values.shape), "zeros": 0.0, "nan": np.nan}[harm]
            tensor.CopyFrom(onnx.numpy_helper.from_array((values * factor).astype(np.float32), tensor.name))
    onnx.save(model, run / G2P)
    assert main(["g2p-verify", str(run)]) == 1
    assert "DIFFERS" in capsys.readouterr().out


def test_a_broken_or_missing_file_is_named(
    tmp_path: Path, tiny_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / G2P).write_bytes((run / G2P).read_bytes()[:-5000])
    assert main(["g2p-verify", str(run)]) == 3
    assert "g2p.onnx" in capsys.readouterr().err
    (run / G2P).unlink()
    assert main(["g2p-verify", str(run)]) == 2
    assert "make it with: python -m export g2p-convert" in capsys.readouterr().err


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, tiny_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    for module in (converting, verifying):
        monkeypatch.setattr(module, "MAX_BYTES", 10_000)
    assert main(["g2p-verify", str(run)]) == 1
    (run / G2P).unlink()
    assert main(["g2p-convert", str(run)]) == 1
    assert "at most 10000 bytes" in capsys.readouterr().err
    assert sorted(path.name for path in run.iterdir()) == ["g2p-training.pt", "g2p.pt"]


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    path = tmp_path / "lexicon.txt"
    path.write_text("bat B AA T\ntea T IY\n")
    return path


def test_a_bundle_of_other_phones_refuses_the_model(
    converted: Path, tiny_run: Path, lexicon: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tiny acoustic model has five phones."""
    pack = [
        "pack",
        str(converted),
        "--lexicon",
        str(lexicon),
        "--name",
        "tiny-1",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*pack, "--g2p", str(tiny_run / G2P)]) == 3
    assert "no token of the acoustic model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*pack, "--g2p", str(tmp_path / "absent.onnx")]) == 2
    assert "absent.onnx: cannot be read" in capsys.readouterr().err


def test_a_packed_model_guesses(converted: Path, tiny_run: Path, lexicon: Path, tmp_path: Path) -> None:
    """The same model for five phones: packed, vouched for, on the card, and used."""
    model = onnx.load(tiny_run / G2P)
    five = {"AA": "AA", "B": "B", "K": "K", "IH": "IY", "T": "T"}
    for prop in model.metadata_props:
        if prop.key == "tokens":
            prop.value = " ".join(five.get(name, "<blk>") for name in prop.value.split())
    onnx.save(model, tmp_path / "five.onnx")
    pack = [
        "pack",
        str(converted),
        "--lexicon",
        str(lexicon),
        "--name",
        "tiny-1",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*pack, "--g2p", str(tmp_path / "five.onnx")]) == 0
    bundle = Bundle.load(tmp_path / "out" / "tiny-1")
    assert bundle.path(G2P).read_bytes() == (tmp_path / "five.onnx").read_bytes()
    card = (bundle.directory / "CARD.md").read_text()
    assert "pronunciations of unknown words are guessed: word error" in card
    assert "--g2p runs/g2p/g2p.onnx" in card
    report = Recognizer(bundle).add_words(["kobit", "bat"])
    assert [str(way) for way in report.spoken] == ["guessed: kobit  K AA B IY T", "lexicon: bat  B AA T"]
