"""A letter-to-phone model of a tiny dictionary, trained once."""

from __future__ import annotations

from pathlib import Path

import pytest
from spelling_rules import write_dictionary, write_recipe


@pytest.fixture(scope="session")
def tiny_dictionary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dictionary in CMU's format."""
    return write_dictionary(tmp_path_factory.mktemp("dictionary") / "tiny.dict")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_dictionary: Path) -> Path:
    """A run directory with g2p.pt and g2p.onnx, made by the command line. Do not write into it."""
    pytest.importorskip("torch", reason="needs torch (the extra train)")
    pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    from export.__main__ import main

    folder = tmp_path_factory.mktemp("g2p")
    recipe = write_recipe(folder / "tiny.toml", tiny_dictionary)
    assert main(["g2p", str(recipe), "--out", str(folder / "run")]) == 0
    assert main(["g2p-convert", str(folder / "run")]) == 0
    return folder / "run"
