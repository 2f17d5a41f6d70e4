"""A neural language model of an invented grammar, trained once."""

from __future__ import annotations

from pathlib import Path

import pytest
from grammar_text import RECIPE, write_text


@pytest.fixture(scope="session")
def lm_texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of neural-lm-texts. Do not write beside it."""
    pytest.importorskip("sentencepiece", reason="needs sentencepiece (the extra train)")
    from export.__main__ import main

    folder = tmp_path_factory.mktemp("lm-texts")
    text = write_text(folder / "text.txt")
    words = {word for line in text.read_text().splitlines() for word in line.split()} - {"hallway"}
    (folder / "lexicon.txt").write_text("".join(f"{word} AH\n" for word in sorted(words)))
    command = ["neural-lm-texts", "--text", str(text), "--pieces", "60", "--out", str(folder / "texts.npz")]
    assert main([*command, "--lexicon", str(folder / "lexicon.txt")]) == 0
    return folder / "texts.npz"


@pytest.fixture(scope="session")
def lm_run(tmp_path_factory: pytest.TempPathFactory, lm_texts: Path) -> Path:
    """A run directory with neural-lm.pt. Do not write into it."""
    pytest.importorskip("torch", reason="needs torch (the extra train)")
    from export.__main__ import main

    folder = tmp_path_factory.mktemp("neural-lm")
    (folder / "tiny.toml").write_text(RECIPE)
    command = ["neural-lm", str(folder / "tiny.toml"), "--texts", str(lm_texts), "--out", str(folder / "run")]
    assert main(command) == 0
    return folder / "run"
