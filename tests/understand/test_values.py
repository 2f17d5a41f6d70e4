"""What built-in slots mean, for every way to say it that their networks accept."""

from __future__ import annotations

import datetime
import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.grammar.builtin import BUILTINS, builtin_network, known_builtins
from edge_asr.decoder.grammar.census import enumerate_sentences, random_sentences
from edge_asr.decoder.grammar.match import match
from edge_asr.decoder.grammar.numbers import spell_integer
from edge_asr.understand.values import CONVERTERS, Value, convert

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def meaning(name: str, said: str) -> Value:
    """The value of ``said`` in a built-in slot that accepts it."""
    assert match(builtin_network(name), said.split()) is not None, f"<{name}> does not accept {said!r}"
    return convert(name, said.split())


def accepts(name: str, said: str) -> bool:
    return match(builtin_network(name), said.split()) is not None


def below_a_hundred(value: int) -> str:
    return " ".join(spell_integer(value)[0])


@pytest.mark.parametrize(
    ("name", "said", "value"),
    [
        ("number", "zero", 0),
        ("number", "twenty three", 23),
        ("number", "one hundred and five", 105),
        ("number", "a hundred", 100),
        ("number", "nine thousand nine hundred and ninety nine", 9999),
        ("number", "a thousand and one", 1001),
        ("number", "nineteen eighty", 1980),
        ("number", "nineteen hundred", 1900),
        ("number", "twenty oh five", 2005),
        ("number", "twenty ten", 2010),
        ("number", "three fifty", 350),
        ("number", "one oh one", 101),
        ("number", "four two", 42),
        ("signed_number", "minus twelve", -12),
        ("decimal", "three point five", 3.5),
        ("decimal", "zero point oh five", 0.05),
        ("decimal", "twenty one", 21),
        ("signed_decimal", "negative zero point two five", -0.25),
        ("ordinal", "twenty first", 21),
        ("ordinal", "twelfth", 12),
        ("digits", "oh one six one", "0161"),
        ("digits", "double seven triple oh", "77000"),
        ("time", "half past six", "06:30"),
        ("time", "half six", "06:30"),
        ("time", "six thirty p m", "18:30"),
        ("time", "six thirty", "06:30"),
        ("time", "quarter to nine", "08:45"),
        ("time", "a quarter past nine in the evening", "21:15"),
        ("time", "twenty five to one", "12:35"),
        ("time", "one minute to midnight", None),
        ("time", "seventeen minutes past four", "04:17"),
        ("time", "twelve a m", "00:00"),
        ("time", "twelve p m", "12:00"),
        ("time", "quarter to twelve p m", "23:45"),
        ("time", "seven o'clock in the morning", "07:00"),
        ("time", "eleven at night", "23:00"),
        ("time", "one at night", "01:00"),
        ("time", "noon", "12:00"),
        ("time", "midnight", "00:00"),
        ("time", "eighteen hundred hours", "18:00"),
        ("time", "oh six hundred", "06:00"),
        ("time", "zero six fifteen", "06:15"),
        ("time", "twenty three oh five hours", "23:05"),
        ("time", "twenty thirty", "20:30"),
        ("date", "the third of may", "--05-03"),
        ("date", "may third", "--05-03"),
        ("date", "may the thirty first", "--05-31"),
        ("date", "february the thirtieth", None),
        ("date", "june thirty first", None),
        ("date", "the thirty first of june", None),
        ("date", "february twenty ninth", "--02-29"),
        ("date", "monday the third of may", "--05-03"),
        ("date", "may third twenty twenty six", "2026-05-03"),
        ("date", "on the fourth of july two thousand and nine", "2009-07-04"),
        ("date", "the first of january nineteen hundred", "1900-01-01"),
        ("date", "tomorrow", "tomorrow"),
        ("date", "the day after tomorrow", "P2D"),
        ("date", "the day before yesterday", "-P2D"),
        ("date", "on monday", "monday"),
        ("date", "next monday", "next monday"),
        ("date", "on the twenty first", "---21"),
        ("date", "friday the thirteenth", "---13"),
        ("date", "in a week", "P1W"),
        ("date", "in ten days", "P10D"),
        ("duration", "five minutes", "PT5M"),
        ("duration", "one minute", "PT1M"),
        ("duration", "a second", "PT1S"),
        ("duration", "half an hour", "PT30M"),
        ("duration", "half a day", "PT12H"),
        ("duration", "an hour and a half", "PT1H30M"),
        ("duration", "two and a half hours", "PT2H30M"),
        ("duration", "a hundred and two and a half minutes", "PT102M30S"),
        ("duration", "a quarter of an hour", "PT15M"),
        ("duration", "three quarters of an hour", "PT45M"),
        ("duration", "two hours and a quarter", "PT2H15M"),
        ("duration", "two hours and three quarters", "PT2H45M"),
        ("duration", "two hours and ten minutes", "PT2H10M"),
        ("duration", "ninety seconds", "PT90S"),
        ("duration", "a day three hours and a minute and a half", "P1DT3H1M30S"),
        ("duration", "six weeks", "P6W"),
        ("duration", "minutes", None),
        ("duration", "ten minutes and two hours", None),
        ("spelling", "b c seven", "bc7"),
        ("spelling", "double s", "ss"),
        ("spelling", "t as in tango one", "t1"),
        ("spelling", "x like x ray y", "xy"),
        ("spelling", "alpha x ray zed triple zero", "axz000"),
    ],
)
def test_meaning(name: str, said: str, value: Value | None) -> None:
    if value is None:
        assert not accepts(name, said)
    else:
        assert meaning(name, said) == value
        assert type(meaning(name, said)) is type(value)


def spoken_numbers() -> dict[str, int]:
    """Every way to say 0 to 9999, by rules of its own."""
    said = {" ".join(words): value for value in range(10_000) for words in spell_integer(value)}
    tens = {below_a_hundred(value): value for value in range(10, 100)}
    one = {digit: value for value, digit in enumerate(DIGITS) if value}
    zero = {"oh": 0, "zero": 0}
    for (head, hundreds), (tail, rest) in product({**one, **tens}.items(), tens.items()):
        if not head.endswith("ty") or rest > 9:
            said[f"{head} {tail}"] = 100 * hundreds + rest
    for (head, hundreds), (oh, _), (tail, rest) in product(
        {**one, **tens}.items(), zero.items(), one.items()
    ):
        said[f"{head} {oh} {tail}"] = 100 * hundreds + rest
    for head, hundreds in tens.items():
        if hundreds % 10 and hundreds > 10:
            said[f"{head} hundred"] = 100 * hundreds
            for joint in ("", "and "):
                for rest in range(1, 100):
                    said[f"{head} hundred {joint}{below_a_hundred(rest)}"] = 100 * hundreds + rest
    for count in (2, 3, 4):
        for words in product(one.items(), *[{**zero, **one}.items()] * (count - 1)):
            value = int("".join(str(digit) for _, digit in words))
            said[" ".join(word for word, _ in words)] = value
    return said


def test_number_accepts_every_way_and_no_other() -> None:
    expected = spoken_numbers()
    accepted = set(enumerate_sentences(builtin_network("number"), 200_000))
    assert accepted == set(expected)
    wrong = {said for said, value in expected.items() if convert("number", said.split()) != value}
    assert not wrong


@pytest.mark.parametrize("name", ["number", "time", "date", "duration", "spelling", "decimal"])
def test_network_is_compact(name: str) -> None:
    assert len(builtin_network(name).arcs) < 800


def test_num2words_agrees() -> None:
    num2words = pytest.importorskip("num2words", reason="needs num2words").num2words
    for value in range(0, 10_000, 7):
        said = num2words(value).replace("-", " ").replace(",", "")
        assert meaning("number", said) == value
        assert meaning("signed_number", f"minus {said}") == -value
        if value >= 1100:
            assert meaning("number", num2words(value, to="year").replace("-", " ")) == value
        if 0 < value < 100:
            assert meaning("ordinal", num2words(value, to="ordinal").replace("-", " ")) == value


@pytest.mark.parametrize("name", BUILTINS)
def test_every_sentence_has_a_value(name: str) -> None:
    network = builtin_network(name)
    pattern = {
        "time": r"([01]\d|2[0-3]):[0-5]\d",
        "date": r"(\d{4}|-)-\d\d-\d\d|---\d\d|-?P\d+[DW]|((this|next|last) )?[a-z]+day|tomorrow",
        "duration": r"P(\d+W|(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?)",
        "digits": r"\d+",
        "spelling": r"[a-z0-9]+",
    }.get(name, r"-?\d+(\.\d+)?")
    for said in random_sentences(network, 300, seed=1, by_turns=True):
        assert re.fullmatch(pattern, str(convert(name, said.split()))), said


def test_every_minute_of_the_day() -> None:
    num = below_a_hundred
    for hour, minute in product(range(24), range(60)):
        value = f"{hour:02d}:{minute:02d}"
        figure = num(minute) if minute > 9 else f"oh {DIGITS[minute]}"
        twelve = num((hour - 1) % 12 + 1)
        part = "a m" if hour < 12 else "p m"
        if minute:
            assert meaning("time", f"{twelve} {figure} {part}") == value
            following = num(hour % 12 + 1)
            unit = "minute" if minute == 1 else "minutes"
            assert meaning("time", f"{num(minute)} {unit} past {twelve} {part}") == value
            unit = "minute" if minute == 59 else "minutes"
            assert meaning("time", f"{num(60 - minute)} {unit} to {following} {part}") == value
        else:
            assert meaning("time", f"{twelve} o'clock {part}") == value
        military = num(hour) if hour > 9 else f"oh {DIGITS[hour]}"
        if hour > 12:
            assert meaning("time", f"{military} {figure if minute else 'hundred'} hours") == value


def test_every_day_of_a_leap_year() -> None:
    num2words = pytest.importorskip("num2words", reason="needs num2words").num2words
    for days in range(366):
        day = datetime.date(2024, 1, 1) + datetime.timedelta(days)
        number = num2words(day.day, to="ordinal").replace("-", " ")
        month = day.strftime("%B").lower()
        value = day.strftime("--%m-%d")
        assert meaning("date", f"the {number} of {month}") == value
        assert meaning("date", f"on {month} {number}") == value
        assert meaning("date", f"{month} the {number} twenty twenty four") == day.isoformat()
        assert meaning("date", f"{day.strftime('%A').lower()} the {number}") == day.strftime("---%d")


def test_every_year_of_two_centuries() -> None:
    num2words = pytest.importorskip("num2words", reason="needs num2words").num2words
    for year in range(1900, 2100):
        said = num2words(year, to="year").replace("-", " ")
        assert meaning("date", f"may first {said}") == f"{year}-05-01"


@given(
    st.lists(st.sampled_from([24 * 3600, 3600, 60, 1]), min_size=1, unique=True),
    st.lists(st.integers(1, 999), min_size=4, max_size=4),
    st.sampled_from([" ", " and "]),
)
def test_durations_are_what_their_parts_add_up_to(units: list[int], counts: list[int], joint: str) -> None:
    names = {24 * 3600: "day", 3600: "hour", 60: "minute", 1: "second"}
    said, total = [], 0
    for unit, count in zip(sorted(units, reverse=True), counts, strict=False):
        words = " ".join(spell_integer(count)[0])
        said.append(f"{words} {names[unit]}{'' if count == 1 else 's'}")
        total += unit * count
    value = meaning("duration", joint.join(said))
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", str(value))
    assert found is not None
    parts = [int(part or 0) for part in found.groups()]
    assert parts[0] * 86400 + parts[1] * 3600 + parts[2] * 60 + parts[3] == total


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8))
def test_spelled_text_comes_back(text: str) -> None:
    assert meaning("spelling", " ".join(DIGITS[int(c)] if c.isdigit() else c for c in text)) == text


def test_registries_agree() -> None:
    assert set(BUILTINS) == set(CONVERTERS)
    assert set(known_builtins()) == {*BUILTINS, "anything"}


@pytest.mark.parametrize(("name", "said"), [(name, "kitchen") for name in CONVERTERS] + [("none", "one")])
def test_other_words_are_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        convert(name, said.split())


@pytest.mark.parametrize("name", CONVERTERS)
def test_no_words_are_refused(name: str) -> None:
    if name in ("digits", "spelling"):
        assert convert(name, []) == ""
    else:
        with pytest.raises(ValueError, match="expected"):
            convert(name, [])
