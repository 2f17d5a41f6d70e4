"""Ways to say words that the dictionary lacks: reading them, and what the packaged ones hold."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import UsageError
from export.dictionary import Dictionary, Pronunciation
from export.lm.automaton import free_text_graph
from export.lm.counts import count_ngrams, numbered
from export.lm.model import vocabulary
from export.lm.smoothing import kneser_ney
from export.variants import ACCENTS, Variants, merge, read_variants, variants_file

PACKAGED = sorted(file.stem for file in ACCENTS.glob("*.txt"))


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    pytest.importorskip("pocketsphinx", reason="its wheel holds the dictionary (the extra train)")
    return Dictionary.load()


BATH = read_variants(variants_file("british-bath"))


def section(title: str) -> Variants:
    """The variants of ``british.txt`` under the comment that starts with ``title``."""
    text = variants_file("british").read_text(encoding="utf-8")
    found = re.search(rf"^# {title}[^\n]*\n(?:#[^\n]*\n)*(?P<lines>(?:[^#\n][^\n]*\n)+)", text, re.MULTILINE)
    assert found, f"no section {title}"
    ways: Variants = {}
    for line in found["lines"].splitlines():
        word, *phones = line.split()
        ways.setdefault(word, []).append(tuple(phones))
    return ways


def changes(way: Pronunciation, other: Pronunciation) -> list[tuple[str, str]]:
    """Phones that differ between two ways of one length."""
    return [(a, b) for a, b in zip(way, other, strict=True) if a != b]


@pytest.mark.parametrize("name", PACKAGED)
def test_each_packaged_variant_is_one_that_the_dictionary_lacks(name: str, dictionary: Dictionary) -> None:
    variants = read_variants(variants_file(name))
    assert len(variants) >= 9
    assert [word for word in variants if word not in dictionary] == []
    known = [(w, way) for w, ways in variants.items() for way in ways if way in dictionary.pronunciations(w)]
    assert known == []


def test_each_word_of_bath_changes_one_vowel(dictionary: Dictionary) -> None:
    for word, ways in BATH.items():
        for way in ways:
            same_length = [old for old in dictionary.pronunciations(word) if len(old) == len(way)]
            assert any(changes(old, way) == [("AE", "AA")] for old in same_length), (word, way)


@pytest.mark.parametrize(
    "word",
    ["gas", "mass", "passage", "passenger", "massive", "ant", "fantastic", "classic", "hand", "romance"],
)
def test_words_that_keep_their_vowel_are_not_of_bath(word: str) -> None:
    assert word not in BATH


def test_only_the_long_vowel_of_afternoon_changes_in_aftermath() -> None:
    assert BATH["aftermath"] == [("AA", "F", "T", "ER", "M", "AE", "TH")]


def test_each_yod_is_one_more_phone(dictionary: Dictionary) -> None:
    for word, ways in section("Yod").items():
        for way in ways:
            without = [way[:i] + way[i + 1 :] for i, phone in enumerate(way) if phone == "Y"]
            assert set(without) & set(dictionary.pronunciations(word)), (word, way)


def test_each_ending_is_weaker_than_the_dictionarys(dictionary: Dictionary) -> None:
    for word, ways in section("-ary").items():
        assert re.search(r"(ary|ery|ory|mony|aries|eries|ories|monies|ary's)$", word), word
        for way in ways:
            assert re.search(r"( ER| T R| D R| G R| S R| N R| AH N) IY( Z)?$", " " + " ".join(way)), (
                word,
                way,
            )
            assert any(old[:2] == way[:2] for old in dictionary.pronunciations(word)), (word, way)


def test_each_marry_changes_one_vowel(dictionary: Dictionary) -> None:
    for word, ways in section("Marry").items():
        for way in ways:
            same_length = [old for old in dictionary.pronunciations(word) if len(old) == len(way)]
            assert any(changes(old, way) == [("EH", "AE")] for old in same_length), (word, way)


def test_a_file_may_have_comments_and_several_ways(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("# names\n\ngarage G AE R AA ZH  # as in London\ngarage G AE R IH JH\n")
    assert read_variants(path) == {"garage": [("G", "AE", "R", "AA", "ZH"), ("G", "AE", "R", "IH", "JH")]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bath", "expected 'word PH PH ...'"),
        ("Bath B AA TH", "expected 'word PH PH ...'"),
        ("bath B A TH", "unknown phone 'A'"),
        ("bath B AA1 TH", "unknown phone 'AA1'"),
        ("vase V AA Z", "stands here twice"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(f"vase V AA Z\n# more\n{line}\n")
    with pytest.raises(UsageError, match=rf"mine\.txt:3: .*{re.escape(message)}"):
        read_variants(path)


def test_a_name_is_a_packaged_file_and_a_path_is_itself(tmp_path: Path) -> None:
    assert variants_file("british") == ACCENTS / "british.txt"
    path = tmp_path / "british"
    path.touch()
    assert variants_file(str(path)) == path
    with pytest.raises(UsageError, match="martian: no such file; packaged are british, british-bath, weak"):
        variants_file("martian")
    with pytest.raises(UsageError, match=r"mine\.txt: no such file"):
        variants_file(str(tmp_path / "mine.txt"))


def test_files_are_merged_without_repetition() -> None:
    a, b = ("AA",), ("AE",)
    assert merge([{"x": [a]}, {"x": [b, a], "y": [b]}]) == {"x": [a, b], "y": [b]}


def heard(tokens: Tokens, phones: str) -> np.ndarray:
    """(frames, tokens) log-probabilities of a clear voice that says ``phones``."""
    labels = [label for phone in phones.split() for label in (0, tokens.index[phone])]
    shares = np.full((len(labels), len(tokens)), 0.01)
    shares[np.arange(len(labels)), labels] = 1.0
    return np.log(shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def test_free_text_takes_a_variant_as_the_equal_of_the_first_way() -> None:
    tokens = Tokens(["<blk>", "B", "AE", "AA", "TH", "K", "T"])
    lexicon = Lexicon("bath B AE TH\nbath B AA TH\ncat K AE T\n", tokens)
    words = vocabulary(["bath", "cat"])
    model = kneser_ney(
        count_ngrams(numbered(["cat bath", "bath cat"], words), order=2, size=len(words)), words
    )
    graph = free_text_graph(model, lexicon)
    found = []
    for said in ("B AE TH", "B AA TH"):
        search = NgramSearch(graph, beam=20.0, max_active=100)
        search.push(heard(tokens, f"K AE T {said}"))
        found.append(search.finish())
    assert [[hit.word for hit in one.words] for one in found] == [["cat", "bath"]] * 2
    assert found[0].score == pytest.approx(found[1].score, abs=1e-5)
