"""Dates as they are said: days of the week, of the month, and years."""

from __future__ import annotations

import calendar
import random

from edge_asr.decoder.grammar.numbers import spell_integer

_IRREGULAR = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth", "twenty": "twentieth", "thirty": "thirtieth",
}  # fmt: skip
_RELATIVE = (
    "today",
    "tomorrow",
    "tonight",
    "yesterday",
    "next week",
    "this weekend",
    "the day after tomorrow",
)
_FRAMES = ("on {}", "remind me on {}", "what happens on {}", "until {}", "{}", "{}")


def dates(count: int, seed: int) -> list[str]:
    """``count`` dates from 1900 to 2050, some within a few words."""
    rng = random.Random(f"dates {seed}")
    return [_date(rng) for _ in range(count)]


def ordinal(day: int) -> str:
    """A day of the month: 21 -> "twenty first"."""
    *front, last = spell_integer(day)[0]
    return " ".join([*front, _IRREGULAR.get(last, f"{last}th")])


def spoken_year(year: int) -> str:
    """A year in pairs: 1984 -> "nineteen eighty four", 2005 -> "two thousand five"."""
    century, rest = divmod(year, 100)
    if century == 20 and rest < 10:
        return " ".join(spell_integer(year)[0])
    tail = "hundred" if rest == 0 else " ".join((("oh",) if rest < 10 else ()) + spell_integer(rest)[0])
    return f"{' '.join(spell_integer(century)[0])} {tail}"


def _date(rng: random.Random) -> str:
    kind = rng.choice(("month", "month", "of", "year", "weekday", "relative"))
    if kind == "relative":
        return rng.choice(_RELATIVE)
    weekday = rng.choice(calendar.day_name).lower()
    if kind == "weekday":
        return rng.choice(_FRAMES).format(rng.choice((weekday, f"next {weekday}", f"{weekday} morning")))
    year, month = rng.randint(1900, 2050), rng.randint(1, 12)
    day, name = rng.randint(1, calendar.monthrange(year, month)[1]), calendar.month_name[month].lower()
    date = f"the {ordinal(day)} of {name}" if kind == "of" else f"{name} {ordinal(day)}"
    return f"{date} {spoken_year(year)}" if kind == "year" else rng.choice(_FRAMES).format(date)
