from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.grammar.numbers import LARGEST, spell_decimal, spell_integer


def said(value: int) -> set[str]:
    return {" ".join(words) for words in spell_integer(value)}


@pytest.mark.parametrize(
    ("value", "ways"),
    [
        (0, {"zero"}),
        (13, {"thirteen"}),
        (23, {"twenty three"}),
        (40, {"forty"}),
        (100, {"one hundred", "a hundred"}),
        (105, {"one hundred five", "one hundred and five", "a hundred five", "a hundred and five"}),
        (300, {"three hundred"}),
        (1000, {"one thousand", "a thousand"}),
        (2005, {"two thousand five", "two thousand and five"}),
        (-7, {"minus seven"}),
        (21_000, {"twenty one thousand"}),
    ],
)
def test_ways_to_say(value: int, ways: set[str]) -> None:
    assert said(value) == ways


def test_hundreds_within_thousands_take_and_too() -> None:
    assert "three hundred and twenty one thousand six hundred and fifty four" in said(321_654)
    assert "three hundred twenty one thousand six hundred fifty four" in said(321_654)


def test_unicode_rules_agree() -> None:
    """ICU's spelling, as hassil uses it, is among ours."""
    engine = pytest.importorskip("unicode_rbnf").RbnfEngine.for_language("en")
    for value in [*range(-120, 1300), *range(1300, LARGEST, 7919), LARGEST]:
        spelled = engine.format_number(value).text_by_ruleset["spellout-cardinal"]
        assert spelled.replace("-", " ") in said(value), value


@given(st.integers(-LARGEST, LARGEST), st.integers(-LARGEST, LARGEST))
def test_different_numbers_never_sound_alike(one: int, other: int) -> None:
    assert one == other or said(one).isdisjoint(said(other))


@given(st.integers(-LARGEST, LARGEST))
def test_no_way_is_given_twice(value: int) -> None:
    ways = spell_integer(value)
    assert len(set(ways)) == len(ways)


@pytest.mark.parametrize("value", [LARGEST + 1, -LARGEST - 1])
def test_too_large_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="999,999"):
        spell_integer(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("21.5", "twenty one point five"),
        ("-0.5", "minus zero point five"),
        ("3.14", "three point one four"),
        ("007", "seven"),
    ],
)
def test_decimals(text: str, expected: str) -> None:
    assert " ".join(spell_decimal(text)[0]) == expected


@pytest.mark.parametrize("text", ["", "-", ".5", "5.", "1e3", "two", "--1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        spell_decimal(text)
