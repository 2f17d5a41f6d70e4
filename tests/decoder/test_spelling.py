from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.spelling import LETTER_NAMES, MAX_LETTERS, plain_parts
from edge_asr.errors import UsageError


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("zigbee", ("zigbee",)),
        ("Zigbee's", ("zigbee's",)),
        ("o\N{RIGHT SINGLE QUOTATION MARK}clock", ("o'clock",)),
        ("café", ("cafe",)),
        (unicodedata.normalize("NFD", "café"), ("cafe",)),
        ("Straße", ("strasse",)),
        ("smørrebrød", ("smorrebrod",)),
        ("Łódź", ("lodz",)),
        ("x-ray", ("x", "ray")),
        ("a.m.", ("a", "m")),
        ("mp3", ("mp", "three")),
        ("21st-century".replace("21st", "21"), ("twenty", "one", "century")),
        ("at&t", ("at", "and", "t")),
        ("'quoted'", ("quoted",)),
        ("\N{LATIN SMALL LIGATURE FI}sh", ("fish",)),
    ],
)
def test_any_writing_becomes_plain_letters(word: str, parts: tuple[str, ...]) -> None:
    assert plain_parts(word) == parts


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("日本", "'日' is no letter of English"),
        ("привет", "'п' is no letter"),
        ("...", "at least one word"),
        ("''", "at least one word"),
        ("\N{COMBINING ACUTE ACCENT}", "expected letters"),
        ("½", "no spoken form"),
        ("12345678", "numbers go from"),
        ("2nd", "in words"),
        ("a" * (MAX_LETTERS + 1), "at most 64 letters, got 65"),
    ],
)
def test_what_cannot_be_spoken_is_refused_with_the_reason(word: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plain_parts(word)


@given(st.text(min_size=1, max_size=2 * MAX_LETTERS))
def test_any_text_gives_plain_parts_or_a_reason(text: str) -> None:
    try:
        parts = plain_parts(text)
    except UsageError:
        return
    assert parts
    for part in parts:
        assert set(part) <= {"'", *LETTER_NAMES}
        assert part.strip("'")
