from __future__ import annotations

from pathlib import Path

import pytest

from edge_asr.decoder.word_list import read_word_list
from edge_asr.errors import GrammarError


def test_words_alone_or_with_phones(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\ufeff# ours\nlumen\nroute R UW T\n\nroute  R AW T   # too\nlumen L UW M AH N\nzigbee\n")
    assert read_word_list(path) == {
        "lumen": ["L UW M AH N"],
        "route": ["R UW T", "R AW T"],
        "zigbee": [],
    }


@pytest.mark.parametrize(
    ("text", "message"), [(b"", "expected words"), (b"# none\n", "expected words"), (b"\xff", "UTF-8")]
)
def test_a_file_without_words_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(text)
    with pytest.raises(GrammarError, match=rf"words\.txt.*{message}"):
        read_word_list(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GrammarError, match=r"absent\.txt"):
        read_word_list(tmp_path / "absent.txt")
