"""Dates in English words: ``may third``, ``the third of may twenty twenty six``, ``march twenty ten``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_asr.understand.spoken_integer import (
    is_numeric,
    read_below_hundred,
    read_cardinal,
    read_ordinal,
    read_pair,
    word_at,
)
from edge_asr.understand.spoken_time import read_clock

_MONTHS = "january february march april may june july august september october november december"
MONTHS = {name: number for number, name in enumerate(_MONTHS.split(), start=1)}
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class SpokenDate:
    """A day of a year, a day of any year, or a month of a year."""

    month: int
    day: int | None
    year: int | None
    month_first: bool
    """The order of speech."""
    linked: bool
    """Said with ``of``, as only dates are."""
    bare: bool
    """The day was a cardinal beside the month, as any number may stand there: ``march three``."""
    stop: int
    """Index behind its last word."""


def read_date(words: Sequence[str], at: int) -> SpokenDate | None:
    """The date at ``at``: month and day in either order, then the year if it is said; or month and year.

    Whether ``may`` is a verb is for the caller to know.
    """
    month = MONTHS.get(word_at(words, at))
    return _read_day_first(words, at) if month is None else _read_month_first(words, at, month)


def date_of(words: Sequence[str]) -> SpokenDate | None:
    """All words as one date."""
    found = read_date(words, 0)
    return found if found is not None and found.stop == len(words) else None


def _read_month_first(words: Sequence[str], at: int, month: int) -> SpokenDate | None:
    year = _read_year(words, at + 1)
    if year is not None:
        return SpokenDate(month, None, year[0], True, False, False, year[1])
    article = word_at(words, at + 1) == "the"
    day = read_ordinal(words, at + 1 + article)
    bare = False
    if day is None and not article:
        day = read_below_hundred(words, at + 1)
        bare = True
    if day is None or day[0] > _LONGEST[month - 1]:
        return None
    year = _read_year(words, day[1])
    # "october ten thirty am" is no tenth of October: what follows the day must be a number of its own.
    if bare and year is None and _goes_on(words, at + 1, day[1]):
        return None
    stop = year[1] if year else day[1]
    return SpokenDate(month, day[0], year[0] if year else None, True, False, bare, stop)


def _goes_on(words: Sequence[str], at: int, stop: int) -> bool:
    """Whether the number is but the beginning of a longer one or of a time."""
    cardinal = read_cardinal(words, at)
    if (cardinal is not None and cardinal[1] > stop) or read_clock(words, at) is not None:
        return True
    following = word_at(words, stop)
    numeric = is_numeric(following) or (following != "" and not following[0].isalpha())
    return following == "point" or (numeric and read_clock(words, stop) is None)


def _read_day_first(words: Sequence[str], at: int) -> SpokenDate | None:
    article = word_at(words, at) == "the"
    start = at + article
    day = read_ordinal(words, start)
    bare = day is None
    if day is None:
        day = read_below_hundred(words, start)
    if day is None:
        return None
    linked = word_at(words, day[1]) == "of"
    month = MONTHS.get(word_at(words, day[1] + linked))
    if month is None or day[0] > _LONGEST[month - 1] or (article and not linked):
        return None  # "the" belongs to what follows: the third may meeting
    if bare and not linked and day[0] == 1:
        return None  # a pronoun: the first one may
    year = _read_year(words, day[1] + linked + 1)
    stop = year[1] if year else day[1] + linked + 1
    return SpokenDate(month, day[0], year[0] if year else None, False, linked, bare and not linked, stop)


def _read_year(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """A year from 1100 to 2099: by twos (``nineteen eighty four``), or by hundreds or thousands."""
    # "two thousand and seventeenth" is said, too.
    for found in (read_pair(words, at), read_ordinal(words, at), read_cardinal(words, at)):
        if found is not None and found[1] > at + 1 and 1100 <= found[0] <= 2099:
            return found
    return None
