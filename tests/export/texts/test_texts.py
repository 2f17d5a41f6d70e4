"""Texts to be spoken: plain words, from a seed, none that a measured set holds."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from edge_asr.errors import UsageError
from export.__main__ import main
from export.texts import KINDS, draw_texts
from export.texts.calendar_dates import ordinal, spoken_year
from export.texts.overlap import Overlap


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_lower_case_words_from_a_seed(kind: str) -> None:
    texts = draw_texts(kind, 200, 1)
    assert len(texts) == 200
    assert all(re.fullmatch(r"[a-z']+( [a-z']+)*", text) for text in texts)
    assert draw_texts(kind, 200, 1) == texts != draw_texts(kind, 200, 2)
    assert len(set(texts)) > 60, "they are not all the same"


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_can_be_pronounced(kind: str) -> None:
    pytest.importorskip("pocketsphinx", reason="the dictionary needs pocketsphinx (the extra train)")
    from export.dictionary import Dictionary

    dictionary = Dictionary.load()
    words = {word for text in draw_texts(kind, 1000, 3) for word in text.split()}
    assert not [word for word in sorted(words) if dictionary.pronounce(word) is None]


def test_unknown_kind_is_named() -> None:
    with pytest.raises(UsageError, match="no kind of text 'poems': choose of numbers, letters"):
        draw_texts("poems", 1, 1)


def test_letters_hold_the_whole_alphabet() -> None:
    words = [word for text in draw_texts("letters", 500, 1) for word in text.split()]
    assert {word for word in words if len(word) == 1} == set("abcdefghijklmnopqrstuvwxyz")


def test_codes_hold_every_letter_about_as_often() -> None:
    texts = draw_texts("codes", 2000, 1)
    assert {len(text.split()) for text in texts} == {4, 5, 6}
    letters = Counter(word for text in texts for word in text.split() if len(word) == 1)
    assert letters.keys() == set("abcdefghijklmnopqrstuvwxyz")
    assert max(letters.values()) < 1.6 * min(letters.values())


def test_words_of_codes_do_not_tell_their_neighbours() -> None:
    pairs = [pair for text in draw_texts("codes", 2000, 1) for pair in pairwise(text.split())]
    after_white = Counter(second for first, second in pairs if first == "white")
    assert len(after_white) > 25 and after_white.most_common(1)[0][1] < 0.1 * after_white.total()


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (1, "first"),
        (12, "twelfth"),
        (20, "twentieth"),
        (21, "twenty first"),
        (14, "fourteenth"),
        (30, "thirtieth"),
    ],
)
def test_ordinals(day: int, words: str) -> None:
    assert ordinal(day) == words


@pytest.mark.parametrize(
    ("year", "words"),
    [
        (1984, "nineteen eighty four"),
        (1900, "nineteen hundred"),
        (1905, "nineteen oh five"),
        (2000, "two thousand"),
        (2005, "two thousand five"),
        (2026, "twenty twenty six"),
    ],
)
def test_years(year: int, words: str) -> None:
    assert spoken_year(year) == words


def test_home_commands_are_polite_at_most_once() -> None:
    texts = draw_texts("home", 300, 1)
    assert max(text.split().count("please") for text in texts) == 1


def test_overlap_is_whole_texts_and_runs_of_five_words() -> None:
    measured = Overlap(["Turn it on", "the quick brown fox jumps over dogs", ""])
    assert "turn it on" in measured and "turn it on now" not in measured
    assert "see how quick brown fox jumps over it" in measured
    assert "the quick brown fox sat" not in measured
    assert "" not in measured


def write(tmp_path: Path, *flags: str) -> list[str]:
    out = tmp_path / "out" / "texts.txt"
    assert main(["texts", "--out", str(out), *flags]) == 0
    return out.read_text().splitlines()


def test_command_draws_from_all_sources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.jsgf").write_text(
        "#JSGF V1.0; grammar g; public <a> = open (one | two | three | four) doors;"
    )
    (tmp_path / "s.txt").write_text("A plain sentence\nroom 101\nsingle\nanother plain one\n")
    flags = (
        "--kind",
        "letters=5",
        "--grammar",
        f"{tmp_path / 'g.jsgf'}=4",
        "--sentences",
        f"{tmp_path / 's.txt'}=3",
    )
    texts = write(tmp_path, *flags)
    assert len(set(texts)) == len(texts)
    assert {"a plain sentence", "another plain one"} <= set(texts), "without digits and single words"
    assert {t for t in texts if t.startswith("open")} <= {
        f"open {n} doors" for n in ("one", "two", "three", "four")
    }
    assert "s.txt: 2 of 3: the others repeat themselves or overlap" in capsys.readouterr().out
    assert write(tmp_path, *flags) == texts


def test_measured_texts_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("turn it on\nplay some music\nclose the door\n")
    lines = [("turn it on", "dev"), ("play some music", "train")]
    rows = [json.dumps({"audio": "x.wav", "text": text, "split": split}) for text, split in lines]
    (tmp_path / "manifest.jsonl").write_text("\n".join(rows) + "\n")
    texts = write(tmp_path, "--sentences", f"{tmp_path / 's.txt'}=3", "--exclude", str(tmp_path))
    assert sorted(texts) == ["close the door", "play some music"]


@pytest.mark.parametrize("flag", ["numbers", "numbers=0", "numbers=x", "=3"])
def test_counts_are_checked(tmp_path: Path, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["texts", "--out", str(tmp_path / "t"), "--kind", flag]) == UsageError.exit_code
    assert "expected NAME=COUNT" in capsys.readouterr().err


def test_no_texts_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["texts", "--out", str(tmp_path / "t")]) == UsageError.exit_code
    assert "give --kind, --grammar or --sentences" in capsys.readouterr().err
