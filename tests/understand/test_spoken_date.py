"""Every day of the year comes back from the ways in which people say it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from edge_asr.understand.spoken_date import MONTHS, date_of
from edge_asr.understand.written_form import written_text

Say = Callable[..., list[str]]
DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(366)]
NAMES = list(MONTHS)


def test_every_day_comes_back_and_is_written_in_its_order(say: Say) -> None:
    for day in DAYS:
        month, year = NAMES[day.month - 1], "twenty twenty four"
        ordinal, cardinal = " ".join(say(day.day, to="ordinal")), " ".join(say(day.day))
        first, second = f"{month.capitalize()} {day.day}", f"{day.day} {month.capitalize()}"
        for words, written in [
            (f"{month} {ordinal}", first),
            (f"{month} the {ordinal}", first),
            (f"{month} {cardinal}", first),
            (f"the {ordinal} of {month}", second),
            (f"{ordinal} {month}", second),
            (f"{month} {ordinal} {year}", f"{first} 2024"),
            (f"the {ordinal} of {month} two thousand and twenty four", f"{second} 2024"),
        ]:
            found = date_of(words.split())
            assert found is not None, words
            assert (found.month, found.day) == (day.month, day.day), words
            assert found.year == (2024 if written.endswith(" 2024") else None), words
            assert written_text(f"remind me on {words} to call") == f"remind me on {written} to call"


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("in march twenty seventeen", "in March 2017"),
        ("march twenty seven twenty seventeen", "March 27 2017"),
        ("july fourth two thousand and seventeenth", "July 4 2017"),
        ("the third may meeting", "the third may meeting"),
        ("may i go", "may i go"),
        ("you may first ask two people", "you may first ask two people"),
        ("that may two people know", "that may two people know"),
        ("the first one may stay", "the first one may stay"),
        ("my birthday is on may second", "my birthday is on May 2"),
        ("the first of may", "1 May"),
        ("dinner may fifth", "dinner May 5"),
        ("happy fourth of july", "happy fourth of july"),
        ("october ten thirty am", "october 10:30"),
        ("march three pm", "march 15:00"),
        ("on march three at three pm", "on March 3 at 15:00"),
        ("they march thirty miles", "they march 30 miles"),
        ("june thirty one", "june 31"),
        ("in january one thousand people", "in january 1000 people"),
    ],
)
def test_months_beside_numbers(words: str, written: str) -> None:
    assert written_text(words) == written


@pytest.mark.parametrize("words", ["", "may", "third", "march thirty two", "the march", "may third of"])
def test_what_is_no_date_is_none(words: str) -> None:
    assert date_of(words.split()) is None
