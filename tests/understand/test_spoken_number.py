"""Numbers come back from their words; num2words speaks, we read."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from edge_asr.understand.spoken_integer import digits_of, integer_of, ordinal_of, read_cardinal
from edge_asr.understand.spoken_number import number_of, read_number
from edge_asr.understand.written_form import written_text

Say = Callable[..., list[str]]


def without_and(words: list[str]) -> list[str]:
    return [word for word in words if word != "and"]


def test_every_number_to_ten_thousand_comes_back(say: Say) -> None:
    for number in range(10_001):
        words = say(number)
        assert number_of(without_and(words)) == number
        assert written_text(" ".join(words)) == (str(number) if number > 9 else words[0])


def test_numbers_up_to_billions_come_back(say: Say) -> None:
    draw = random.Random(1)
    for digits in range(5, 14):
        for number in [10**digits, *(draw.randrange(10 ** (digits - 1), 10**digits) for _ in range(150))]:
            words = say(number)
            assert integer_of(words) == number_of(words) == integer_of(without_and(words)) == number, number
            written = written_text(" ".join(words)).replace(" million", "000000").replace(" billion", "0" * 9)
            assert int(written.replace(" trillion", "0" * 12)) == number


def test_every_ordinal_to_a_thousand_comes_back(say: Say) -> None:
    endings = {"1": "st", "2": "nd", "3": "rd"}
    for number in range(1, 1_001):
        words = say(number, to="ordinal")
        assert ordinal_of(words) == number
        if number > 9:
            ending = "th" if 10 < number % 100 < 14 else endings.get(str(number)[-1], "th")
            assert written_text(f"the {' '.join(words)} time") == f"the {number}{ending} time"


def test_every_year_by_twos_comes_back(say: Say) -> None:
    for year in [*range(1300, 2000), *range(2010, 2100)]:
        words = say(year, to="year")
        assert integer_of(words) == year, words
        if year % 100 == year // 100 + 1 < 20:
            continue  # thirteen fourteen: rather counting than the year 1314
        assert written_text(f"back in {' '.join(words)}") == f"back in {year}"


def test_decimals_come_back(say: Say) -> None:
    draw = random.Random(2)
    for _ in range(500):
        text = f"{draw.randrange(1200)}.{draw.randrange(1, 1000)}"
        whole, places = text.split(".")
        words = [*say(int(whole)), "point", *(say(int(digit))[0] for digit in places)]
        assert number_of(words) == float(text)
        assert written_text(" ".join(words)) == text


def test_frequencies_of_radio_stations_come_back(say: Say) -> None:
    for tenth in range(875, 1081):
        whole, place = divmod(tenth, 10)
        forms = [say(whole)]
        if whole >= 100:
            last = whole % 100
            forms.append(["one", *(["oh"] if 0 < last < 10 else []), *(say(last) if last else ["hundred"])])
        for form in forms:
            assert number_of([*form, "point", *say(place)]) == tenth / 10


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("a hundred and five", 105),
        ("a thousand", 1000),
        ("twelve hundred", 1200),
        ("nineteen hundred and five", 1905),
        ("nineteen oh five", 1905),
        ("twenty twenty six", 2026),
        ("one oh one", 101),
        ("seven forty seven", 747),
        ("one two", 12),
        ("minus three", -3),
        ("negative two point five", -2.5),
        ("zero point zero five", 0.05),
        ("oh point five", 0.5),
        ("point two five", 0.25),
        ("three point fourteen", 3.14),
        ("two point three million", 2_300_000),
        ("one point five thousand", 1500),
        ("two and a half", 2.5),
        ("one and three quarters", 1.75),
        ("two thirds", 2 / 3),
        ("one half", 0.5),
        ("nine hundred and ninety nine thousand nine hundred and ninety nine", 999_999),
    ],
)
def test_ways_to_say_a_number(words: str, number: float) -> None:
    value = number_of(words.split())
    assert value == pytest.approx(number)
    assert isinstance(value, int) == isinstance(number, int)


NO_NUMBERS = (
    *(
        "",
        "and",
        "hundred",
        "two and",
        "two hundred and",
        "point",
        "three point",
        "minus",
        "a",
        "five dollars",
    ),
    *("two hundred and three hundred", "thousand and one", "one million one million", "oh oh seven tea"),
)


@pytest.mark.parametrize("words", NO_NUMBERS)
def test_what_is_no_number_is_none(words: str) -> None:
    assert number_of(words.split()) is None


def test_two_numbers_are_not_added() -> None:
    said = "one thousand nine hundred and ninety and two thousand"
    assert read_cardinal(said.split(), 0) == (1990, 6)
    assert read_cardinal(said.split(), 7) == (2000, 9)


@pytest.mark.parametrize(
    ("said", "digits"), [("oh oh seven", "007"), ("double oh seven", "007"), ("triple five one two", "55512")]
)
def test_digits_keep_their_zeros(said: str, digits: str) -> None:
    assert digits_of(said.split()) == digits
    found = read_number([*said.split(), "please"], 0)
    assert found is not None
    assert (found.text, found.stop) == (digits, len(said.split()))
