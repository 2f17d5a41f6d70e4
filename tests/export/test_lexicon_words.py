"""Choosing the words of a model and saying how they sound."""

from __future__ import annotations

import argparse
import lzma
import math
from collections import Counter
from pathlib import Path

import pytest

from edge_asr.errors import UsageError
from export import lexicon
from export.dictionary import PHONES, Dictionary

CMU = "a AH\na(2) EY\ncat K AE T\ndog D AO1 G\nbus B AH S\nred R EH D\nz Z IY\n"


@pytest.fixture
def dictionary_file(tmp_path: Path) -> Path:
    path = tmp_path / "dict.txt"
    path.write_text(CMU)
    return path


def test_dictionary_reads_variants_and_drops_stress(dictionary_file: Path) -> None:
    dictionary = Dictionary.load(dictionary_file)
    assert dictionary.pronunciations("a") == [("AH",), ("EY",)]
    assert dictionary.pronunciations("dog") == [("D", "AO", "G")]
    assert dictionary.pronunciations("cow") == []


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("cats", ("K", "AE", "T", "S")),
        ("dog's", ("D", "AO", "G", "Z")),
        ("dogs'", ("D", "AO", "G", "Z")),
        ("bus's", ("B", "AH", "S", "IH", "Z")),
    ],
)
def test_possessives_follow_their_base(dictionary_file: Path, word: str, phones: tuple[str, ...]) -> None:
    assert Dictionary.load(dictionary_file).pronounce(word) == phones


def test_unknown_words_are_guessed_in_our_phones(dictionary_file: Path) -> None:
    pytest.importorskip("gruut", reason="guessing needs gruut")
    guess = Dictionary.load(dictionary_file).pronounce("plasmoid")
    assert guess is not None
    assert set(guess) <= set(PHONES)
    assert guess[:2] == ("P", "L")


def test_unknown_phone_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "dict.txt"
    path.write_text("cat K AE T\ncot K Q T\n")
    with pytest.raises(UsageError, match=r"dict\.txt:2: unknown phone 'Q'"):
        Dictionary.load(path)


def test_words_are_weighed_by_the_share_of_their_text(dictionary_file: Path) -> None:
    dictionary = Dictionary.load(dictionary_file)
    big, small = Counter({"cat": 900, "dog": 100, "zebra": 5}), Counter({"red": 10})
    words = lexicon.choose_words([(big, 1.0), (small, 1.0)], dictionary, size=100)
    assert "zebra" not in words
    assert math.exp(words["red"]) == pytest.approx(0.5, rel=1e-3)
    assert math.exp(words["cat"]) == pytest.approx(0.45, rel=1e-3)
    assert sum(map(math.exp, words.values())) == pytest.approx(1)
    assert "z" in words, "any letter can be spelled, however rare"


def test_size_keeps_the_most_probable(dictionary_file: Path) -> None:
    dictionary = Dictionary.load(dictionary_file)
    words = lexicon.choose_words([(Counter({"cat": 3, "dog": 2, "bus": 1}), 1.0)], dictionary, size=2)
    assert list(words) == ["cat", "dog"]


def test_command_writes_both_files(tmp_path: Path, dictionary_file: Path) -> None:
    with lzma.open(tmp_path / "text.txt.xz", "wt") as text:
        text.write("A cat, a dog.\nThe cat!\n")
    parser = argparse.ArgumentParser()
    lexicon.add_arguments(parser)
    out = tmp_path / "out"
    text_flag = f"{tmp_path / 'text.txt.xz'}=2"
    args = parser.parse_args(["--text", text_flag, "--dictionary", str(dictionary_file), "--out", str(out)])
    assert lexicon.run(args) == 0
    assert (out / "lexicon.txt").read_text().splitlines()[:3] == ["a AH", "a EY", "cat K AE T"]
    assert (out / "unigram.txt").read_text().splitlines()[1].startswith("cat -0.91")


def test_missing_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.txt: no such text file"):
        list(lexicon.read_text(tmp_path / "nowhere.txt"))


def test_the_rest_of_the_dictionary_follows_without_probability(
    dictionary_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("the cat saw a dog\n")
    parser = argparse.ArgumentParser()
    lexicon.add_arguments(parser)
    flags = ["--text", str(tmp_path / "text.txt"), "--dictionary", str(dictionary_file), "--rest"]
    assert lexicon.run(parser.parse_args([*flags, "--size", "2", "--out", str(tmp_path)])) == 0
    lines = (tmp_path / "lexicon.txt").read_text().splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["a", "a", "bus", "cat", "dog", "red", "z"]
    probable = (tmp_path / "unigram.txt").read_text().splitlines()
    assert len(probable) == 2


def test_variants_follow_the_dictionarys_own_ways(
    dictionary_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text("the cat saw a dog\n")
    (tmp_path / "mine.txt").write_text("cat K AA T\na AA\na AH\nbus B UH S\nmoon M UW N\n")
    (tmp_path / "more.txt").write_text("cat K AH T\n")
    parser = argparse.ArgumentParser()
    lexicon.add_arguments(parser)
    flags = ["--text", str(tmp_path / "text.txt"), "--dictionary", str(dictionary_file)]
    flags += ["--variants", str(tmp_path / "mine.txt"), "--variants", str(tmp_path / "more.txt")]
    assert lexicon.run(parser.parse_args([*flags, "--out", str(tmp_path)])) == 0
    lines = (tmp_path / "lexicon.txt").read_text().splitlines()
    assert lines[:3] == ["a AH", "a EY", "a AA"]
    assert [line for line in lines if line.startswith("cat ")] == ["cat K AE T", "cat K AA T", "cat K AH T"]
    assert not any(line.startswith(("bus ", "moon ")) for line in lines)
    assert "variants of 2 words; 2 others are not in the lexicon" in capsys.readouterr().out


def test_words_beyond_the_dictionary_are_guessed(
    dictionary_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the cats cats dogs 'cats\ncat dogs' x\n")
    parser = argparse.ArgumentParser()
    lexicon.add_arguments(parser)
    out = tmp_path / "out"
    flags = ["--text", str(text), "--dictionary", str(dictionary_file), "--out", str(out), "--guess", "2"]
    assert lexicon.run(parser.parse_args(flags)) == 0
    lines = (out / "lexicon.txt").read_text().splitlines()
    assert "cats K AE T S" in lines
    assert not any(line.startswith(("dogs", "the", "'cats", "x")) for line in lines), "said too seldom"
    assert "1 words that the dictionary lacks" in capsys.readouterr().out
