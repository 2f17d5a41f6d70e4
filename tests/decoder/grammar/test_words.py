from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.grammar import words as words_module
from edge_asr.decoder.grammar.census import enumerate_sentences
from edge_asr.decoder.grammar.words import SPACE, Piece, add_phrase, phrase, pieces
from edge_asr.decoder.network import WordNetwork
from edge_asr.errors import GrammarError


def said(text: str) -> set[str]:
    network = WordNetwork("test")
    add_phrase(network, network.start, network.end, text, 1)
    return set(enumerate_sentences(network, 1000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Turn ON the light!", "turn on the light"),
        ("what's the time?", "what's the time"),
        ("what\N{RIGHT SINGLE QUOTATION MARK}s up", "what's up"),
        ("living-room", "living room"),
        ("snake_case", "snake case"),
        ("5 o'clock", "five o'clock"),
        ("'quoted' word", "quoted word"),
        ("20%", "twenty percent"),
        ("21.5°", "twenty one point five degrees"),
        ("salt & pepper", "salt and pepper"),
        ("-5 degrees", "minus five degrees"),
        ("5-6", "five six"),
        ("1,000", "one thousand"),
        ("mp3", "mp three"),
        ("a.m.", "a m"),
        ("lamp \N{ELECTRIC LIGHT BULB}", "lamp"),
        ("cafe\N{COMBINING ACUTE ACCENT}", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("ÉCOLE", "école"),
        ("a\tb\nc", "a b c"),
    ],
)
def test_written_to_spoken(text: str, expected: str) -> None:
    assert expected in said(text)


def test_number_gives_all_ways() -> None:
    assert said("gate 105") == {
        "gate one hundred five",
        "gate one hundred and five",
        "gate a hundred five",
        "gate a hundred and five",
    }


@pytest.mark.parametrize("text", ["2nd floor", "½ cup", "5 €", "a = b", "1000000"])
def test_what_cannot_be_said_is_refused(text: str) -> None:
    with pytest.raises(GrammarError) as caught:
        said(text)
    assert caught.value.line == 1


@pytest.mark.parametrize("text", ["", "  ", "...", "'"])
def test_no_word_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at least one word"):
        phrase(text)


def test_outer_words_stay_open() -> None:
    assert pieces("light") == ("light",)
    assert pieces(" two  words ") == (SPACE, "two", SPACE, "words", SPACE)


@given(st.text(max_size=30))
def test_any_text_gives_clean_words_or_a_reason(text: str) -> None:
    try:
        entries = phrase(text)
    except ValueError:
        return
    for alternatives in entries:
        for words in alternatives:
            for word in words:
                assert word.strip("'")
                assert not any(c.isspace() or c.isdecimal() for c in word)
                assert word == word.lower()


@given(st.text("aBz',.!? ", max_size=12))
def test_the_quick_way_for_plain_texts_changes_nothing(text: str) -> None:
    def outcome() -> tuple[list[Piece], object]:
        try:
            return pieces(text), phrase(text)
        except ValueError as error:
            return pieces(text), str(error)

    quick = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words_module, "_PLAIN", re.compile("(?!)"))
        assert outcome() == quick
