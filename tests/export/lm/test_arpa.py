from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from edge_asr.errors import UsageError
from export.lm.arpa import read_arpa, write_arpa
from export.lm.counts import count_ngrams, numbered
from export.lm.model import vocabulary
from export.lm.smoothing import kneser_ney

FOREIGN = """made by another tool

\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-1.0 <UNK>
-99 <s> -0.5
-0.7\t</s>
-0.3\tb\t-0.25
-0.6\ta\t0.1

\\2-grams:
-0.2 <s> b -0.125
-0.4\tb a
-0.1\tb b

\\3-grams:
-0.05 <s> b a

\\end\\
"""


def read(text: str, folder: Path) -> object:
    path = folder / "lm.arpa"
    path.write_text(text)
    return read_arpa(path)


def test_a_file_of_another_tool(tmp_path: Path) -> None:
    (tmp_path / "lm.arpa").write_text(FOREIGN)
    model = read_arpa(tmp_path / "lm.arpa")
    assert model.words == ("<unk>", "<s>", "</s>", "a", "b")
    assert model.order == 3

    def log10_prob(*words: str) -> float:
        key = 0
        for word in words:
            key = key * len(model.words) + model.words.index(word)
        return float(model.log_prob(np.array([key]), len(words))[0]) / math.log(10)

    assert log10_prob("a") == pytest.approx(-0.6)
    assert log10_prob("<unk>") == pytest.approx(-1.0)
    assert log10_prob("b", "a") == pytest.approx(-0.4)
    assert log10_prob("b", "</s>") == pytest.approx(-0.25 - 0.7)
    assert log10_prob("<s>", "b", "a") == pytest.approx(-0.05)
    assert log10_prob("<s>", "b", "b") == pytest.approx(-0.125 - 0.1)
    assert log10_prob("a", "b", "b") == pytest.approx(-0.1)
    assert log10_prob("<s>", "a") == pytest.approx(-0.5 - 0.6)
    assert log10_prob("a", "b") == pytest.approx(0.1 - 0.3)


@pytest.mark.parametrize("name", ["lm.arpa", "lm.arpa.xz"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_round_trip(sentences: list[list[str]], tmp_path: Path, name: str, order: int) -> None:
    words = vocabulary("abcdefg")
    lines = map(" ".join, sentences)
    model = kneser_ney(count_ngrams(numbered(lines, words), order=order, size=len(words)), words)
    write_arpa(model, tmp_path / name)
    again = read_arpa(tmp_path / name)
    assert again.words == model.words
    for column in ("keys", "log_probs", "backoffs"):
        for got, expected in zip(getattr(again, column), getattr(model, column), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("\\data\\", "\\date\\", 24, "ends too early"),
        ("ngram 2=3", "ngram 3=3", 5, "expected 'ngram 2=...'"),
        ("ngram 1=5", "grams 1=5", 4, "expected 'ngram 1=...'"),
        ("\\2-grams:", "\\3-grams:", 15, "expected \\2-grams:"),
        ("ngram 2=3", "ngram 2=4", 20, "expected 4 n-grams of order 2 before this line, got 3"),
        ("-0.4\tb a", "-0.4\tb c", 17, "the word 'c' is no 1-gram"),
        ("-0.4\tb a", "-0.4\tb b", 18, "stands twice"),
        ("-0.6\ta\t0.1", "-0.6\tb\t0.1", 13, "stands twice"),
        ("-0.4\tb a", "-0.4\tb", 17, "expected log10 P, 2 word(s)"),
        ("-0.4\tb a", "-0.4\tb a b -1 2", 17, "expected log10 P, 2 word(s)"),
        ("-0.4\tb a", "low\tb a", 17, "expected a number"),
        ("-0.4\tb a", "-0.4\tb a b", 17, "expected a number"),
        ("-0.4\tb a", "0.4\tb a", 17, "at most 0"),
        ("-0.4\tb a", "nan\tb a", 17, "at most 0"),
        ("-0.3\tb\t-0.25", "-0.3\tb\tinf", 12, "finite back-off"),
        ("-0.05 <s> b a", "-0.05 <s> a b", 21, "the words before the last are no n-gram"),
        ("\\end\\", "\\4-grams:", 23, "expected \\end\\"),
        ("\\end\\\n", "", 23, "ends too early"),
    ],
)
def test_a_mistake_is_named_by_its_line(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in FOREIGN
    with pytest.raises(UsageError) as raised:
        read(FOREIGN.replace(old, new, 1), tmp_path)
    assert f"lm.arpa:{line}: " in str(raised.value)
    assert message in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.arpa: cannot be read"):
        read_arpa(tmp_path / "absent.arpa")
    (tmp_path / "broken.arpa.xz").write_bytes(b"no xz")
    with pytest.raises(UsageError, match=r"broken\.arpa\.xz: cannot be read"):
        read_arpa(tmp_path / "broken.arpa.xz")
