from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge_asr import bundle
from edge_asr.decoder.tokens import Tokens

pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from edge_asr.decoder.g2p import G2p
from export.__main__ import main
from export.g2p.checkpoint import TOKENS, load_g2p


def test_a_packed_model_serves_its_language(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["g2p-pack", str(tiny_run), "--language", "xx", "--out", str(tmp_path)]) == 0
    packed = tmp_path / "g2p-xx" / "g2p.onnx"
    assert packed.read_bytes() == (tiny_run / "g2p.onnx").read_bytes()
    # As `sha256sum -c` reads it.
    checksum = hashlib.sha256(packed.read_bytes()).hexdigest()
    assert (packed.parent / "g2p.onnx.sha256").read_text() == f"{checksum}  g2p.onnx\n"
    card = (packed.parent / "CARD.md").read_text()
    assert "CMU Pronouncing Dictionary" in card and load_g2p(tiny_run).recipe.name in card
    monkeypatch.setattr(bundle, "_MODELS", tmp_path)
    g2p = G2p.of_language("xx-YY", Tokens(TOKENS))
    assert g2p is not None
    assert [g2p.tokens.names[t] for t in g2p.pronounce("Cibox")] == ["S", "IH", "B", "AA", "K", "S"]


def test_wrong_calls_are_named(tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["g2p-pack", str(tiny_run), "--language", "e/n", "--out", str(tmp_path)]) == 2
    assert "expected lower-case letters such as 'en'" in capsys.readouterr().err
    run = tmp_path / "run"
    run.mkdir()
    (run / "g2p.pt").write_bytes((tiny_run / "g2p.pt").read_bytes())
    assert main(["g2p-pack", str(run), "--out", str(tmp_path / "out")]) == 2
    assert "make it with: python -m export g2p-convert" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
