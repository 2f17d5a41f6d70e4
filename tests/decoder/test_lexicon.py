from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import BundleError

TOKENS = Tokens(["<blk>", "R", "EH", "IY", "D"])
TEXT = "read R IY D\nread R EH D\nred R EH D\n"


def test_pronunciations_are_token_numbers_in_order_of_the_text() -> None:
    lexicon = Lexicon(TEXT, TOKENS)
    assert lexicon.pronunciations("read") == ((1, 3, 4), (1, 2, 4))
    assert lexicon.pronunciations("red") == ((1, 2, 4),)
    assert list(lexicon.words()) == ["read", "red"]
    assert len(lexicon) == 2


def test_unknown_word_has_no_pronunciation() -> None:
    lexicon = Lexicon(TEXT, TOKENS)
    assert "reed" not in lexicon
    assert "" not in lexicon
    assert lexicon.pronunciations("reed") == ()


def test_repeated_pronunciation_counts_once() -> None:
    assert Lexicon("red R EH D\nred R EH D\n", TOKENS).pronunciations("red") == ((1, 2, 4),)


@pytest.mark.parametrize(
    ("name", "pack"), [("l.txt", bytes), ("l.txt.xz", lzma.compress), ("l.txt.gz", gzip.compress)]
)
def test_loads_plain_and_packed(tmp_path: Path, name: str, pack: type[bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(pack(TEXT.encode()))
    assert Lexicon.load(path, TOKENS).pronunciations("read") == ((1, 3, 4), (1, 2, 4))


@pytest.mark.parametrize("name", ["l.txt.xz", "l.txt.gz"])
def test_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"no archive")
    with pytest.raises(BundleError, match=name):
        Lexicon.load(path, TOKENS)


def test_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "l.txt.gz"
    path.write_bytes(gzip.compress(TEXT.encode())[:-4])
    with pytest.raises(BundleError, match=r"l\.txt\.gz"):
        Lexicon.load(path, TOKENS)


def test_word_without_phones_is_refused() -> None:
    with pytest.raises(BundleError, match="'red' without phones"):
        Lexicon("read R IY D\nred\n", TOKENS, source="lexicon.txt")


def test_foreign_phone_is_named_when_the_word_is_used() -> None:
    lexicon = Lexicon("read R IY D\nred R EH1 D\n", TOKENS, source="lexicon.txt")
    assert lexicon.pronunciations("read")
    with pytest.raises(BundleError, match=r"lexicon\.txt: the word 'red' uses 'EH1'"):
        lexicon.pronunciations("red")


def test_users_pronunciations_come_first() -> None:
    lexicon = Lexicon(TEXT, TOKENS)
    extended = lexicon.extended("red R IY D\nreed R IY D\n", source="names.txt")
    assert extended.pronunciations("red") == ((1, 3, 4), (1, 2, 4))
    assert extended.pronunciations("reed") == ((1, 3, 4),)
    assert extended.pronunciations("read") == lexicon.pronunciations("read")
    assert "reed" not in lexicon
