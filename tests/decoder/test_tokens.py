from __future__ import annotations

from pathlib import Path

import pytest

from edge_asr.decoder.tokens import BLANK, Tokens
from edge_asr.errors import BundleError


def test_line_number_is_column(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("<blk>\nAA\nAE\n")
    tokens = Tokens.load(path)
    assert tokens.names == ("<blk>", "AA", "AE")
    assert tokens.index == {"<blk>": BLANK, "AA": 1, "AE": 2}
    assert len(tokens) == 3


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must be <blk>, got nothing"),
        ("AA\n<blk>\n", "must be <blk>, got 'AA'"),
        ("<blk>\nAA\nAE\nAA\n", "'AA' stands twice"),
        ("<blk>\n\nAA\n", "tokens.txt:2: expected one token, got ''"),
        ("<blk>\nAA 1\n", "tokens.txt:2: expected one token, got 'AA 1'"),
        ("<blk>\n  \n", "tokens.txt:2: expected one token, got '  '"),
    ],
)
def test_refuses(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text(text)
    with pytest.raises(BundleError, match=complaint):
        Tokens.load(path)


def test_a_space_is_a_token_of_a_character_model(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("<blk>\na\n \nb\n")
    assert Tokens.load(path).names == ("<blk>", "a", " ", "b")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"absent\.txt"):
        Tokens.load(tmp_path / "absent.txt")
