"""Times of day in English words: ``half past six``, ``six thirty p m``, ``seven o'clock``, ``noon``.

A time without a part of day is read as the clock's face shows it: ``half past six`` is 06:30.
``time_of`` types a slot. ``read_clock`` finds what nothing but a time can be; ``read_hour_minutes`` (``six
thirty``), ``read_minutes_to`` (``ten to six``) and ``read_hour`` find what may as well be numbers: who calls
them must know that a time is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import time

from edge_asr.understand.spoken_integer import (
    HUNDRED,
    OH,
    UNITS,
    ZEROS,
    read_below_hundred,
    read_cardinal,
    word_at,
)

NAMED = {"noon": time(12), "midday": time(12), "midnight": time(0)}
TO = frozenset({"to", "till", "til"})
OCLOCK = frozenset({("o'clock",), ("o", "clock"), ("oclock",)})

SUFFIXES: dict[tuple[str, ...], int] = {
    **{(word,): 0 for word in ("am", "a.m.", "a.m")},
    **{(word,): 12 for word in ("pm", "p.m.", "p.m")},
    ("a", "m"): 0,
    ("p", "m"): 12,
}
"""What is written as part of the time, with the hours that it adds."""


def _before_noon(hour: int) -> int:
    return hour % 12


def _after_noon(hour: int) -> int:
    return hour % 12 + 12


def _at_night(hour: int) -> int:
    """Six to eleven at night are in the evening, twelve to five after midnight."""
    return hour % 12 + (12 if 5 < hour < 12 else 0)


_DAYS = ("this", "tomorrow", "yesterday", "every")
PARTS_OF_DAY: dict[tuple[str, ...], Callable[[int], int]] = {
    ("in", "the", "morning"): _before_noon,
    **{(day, "morning"): _before_noon for day in _DAYS},
    **{("in", "the", part): _after_noon for part in ("afternoon", "evening")},
    **{(day, part): _after_noon for day in _DAYS for part in ("afternoon", "evening")},
    **{words: _at_night for words in (("at", "night"), ("tonight",), ("tomorrow", "night"))},
}
"""What says which half of the day is meant and stays in the text: an hour of the clock's face -> the hour."""


def read_clock(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """A time that is no other number, at ``at``: the time and the index behind it (and behind am or pm).

    ``noon``, ``twelve noon``, ``half past six``, ``a quarter to nine``, ``ten minutes to ten``, ``seven
    o'clock``, any hour or hour and minutes before am or pm, ``fourteen hundred hours``. A part of day
    behind it (``in the evening``) tells which half is meant and is not taken.
    """
    return (
        _read_named(words, at)
        or _with_half(words, _read_relative(words, at))
        or _with_half(words, _read_oclock(words, at))
        or _read_suffixed(words, at)
        or _read_hours(words, at)
    )


def read_hour_minutes(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """An hour and its minutes: ``six thirty``, ``six oh five``, ``twenty fifteen``."""
    found = _read_hour_minutes(words, at)
    # "three and twenty" is an old way to count; only am or pm makes it a time.
    return None if found is None or "and" in words[at : found[1]] else _with_half(words, found)


def read_minutes_to(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """``ten to six``, ``twenty five till nine``."""
    found = read_below_hundred(words, at)
    if found is None or found[0] % 5 or found[0] > 29 or word_at(words, found[1]) not in TO:
        return None
    return _with_half(words, _relative(words, found[1] + 1, -found[0]))


def read_hour(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """A bare hour of the clock's face, ``six``, if a part of day follows."""
    hour = _hour(words, at)
    if hour is None:
        return None
    adjust = _part_of_day(words, hour[1])
    return (time(adjust(hour[0])), hour[1]) if adjust else None


def read_bare_hour(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """An hour of the clock's face, ``one`` to ``twelve``."""
    hour = _hour(words, at)
    return (time(hour[0]), hour[1]) if hour else None


def time_of(words: Sequence[str]) -> time | None:
    """All words as one time of day, a part of day behind it included; a bare number is an hour."""
    for read in (read_clock, read_minutes_to, read_hour_minutes, read_hour, read_bare_hour):
        found = read(words, 0)
        if found is not None and (found[1] == len(words) or tuple(words[found[1] :]) in PARTS_OF_DAY):
            return found[0]
    return None


def _read_named(words: Sequence[str], at: int) -> tuple[time, int] | None:
    twelve = word_at(words, at) == "twelve"
    named = NAMED.get(word_at(words, at + twelve))
    return (named, at + twelve + 1) if named is not None else None


def _read_relative(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """``half past six``, ``quarter to nine``, ``twenty past ten``, ``ten minutes to midnight``."""
    start = at + (word_at(words, at) == "a")
    named = {"half": 30, "quarter": 15}.get(word_at(words, start))
    if named is not None:
        minutes, middle, sure = named, start + 1, True
    else:
        found = read_below_hundred(words, at)
        if found is None or found[0] > 59:
            return None
        minutes, middle = found
        sure = word_at(words, middle) in ("minute", "minutes")
        middle += sure
    link = word_at(words, middle)
    # "ten to six" may be a range and "ten after six" a waiting time; "ten past six" is a time only.
    if link == "past" or (link == "after" and named == 15):
        return _relative(words, middle + 1, minutes)
    return _relative(words, middle + 1, -minutes) if sure and link in TO and named != 30 else None


def _relative(words: Sequence[str], at: int, minutes: int) -> tuple[time, int] | None:
    """The time so many minutes after the hour at ``at``."""
    named = NAMED.get(word_at(words, at))
    hour = (named.hour, at + 1) if named is not None else _hour(words, at)
    if hour is None:
        return None
    total = (60 * hour[0] + minutes) % (24 * 60)
    if named is None and not 60 <= total < 13 * 60:  # on the clock's face the hour before one is twelve
        total = (total + 12 * 60) % (24 * 60)
    return time(total // 60, total % 60), hour[1] + _length(words, hour[1], OCLOCK)


def _read_oclock(words: Sequence[str], at: int) -> tuple[time, int] | None:
    hour = _hour(words, at)
    if hour is None:
        return None
    length = _length(words, hour[1], OCLOCK)
    return (time(hour[0]), hour[1] + length) if length else None


def _read_suffixed(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """``six pm``, ``six thirty p m``, ``two oh five a m``, ``eight hundred and thirty am``."""
    for read in (read_bare_hour, _read_hour_minutes, _read_hundred):
        found = read(words, at)
        if found is not None:
            moment, stop = found
            length = _length(words, stop, SUFFIXES)
            # "which one am i" is a verb.
            if length and word_at(words, stop + length) != "i":
                return _in_half(moment, SUFFIXES[tuple(words[stop : stop + length])]), stop + length
    return None


def _read_hours(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """``oh six thirty hours``, ``fourteen hundred hours``; ``two hundred hours`` is a long time."""
    zero = word_at(words, at) in OH or word_at(words, at) in ZEROS
    found = _read_hour_minutes(words, at + zero) or _read_hundred(words, at + zero)
    if found is None or (not zero and found[0].hour < 10):
        return None
    hours = word_at(words, found[1]) == "hours"
    return (found[0], found[1] + hours) if hours or (zero and word_at(words, at + 2) == HUNDRED) else None


def _read_hour_minutes(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """``six thirty``, ``six oh five``, ``eleven and thirty``, ``twenty fifteen``."""
    hour = read_below_hundred(words, at)
    if hour is None or hour[0] > 23:
        return None
    hours, stop = hour
    if word_at(words, stop) in OH:
        unit = UNITS.get(word_at(words, stop + 1))
        return (time(hours, unit), stop + 2) if unit else None
    joined = word_at(words, stop) == "and"
    minutes = read_below_hundred(words, stop + joined)
    if minutes is None or not (13 if joined else 10) <= minutes[0] <= 59:  # "three and ten" are two hours
        return None
    return time(hours, minutes[0]), minutes[1]


def _read_hundred(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """The hundreds of a 24-hour clock, ``eight hundred and thirty``, ``one thousand two hundred``."""
    found = read_cardinal(words, at)
    if found is None or not 100 <= found[0] <= 2359 or found[0] % 100 > 59:
        return None
    return time(found[0] // 100, found[0] % 100), found[1]


def _hour(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """``one`` to ``twelve``, in one word."""
    found = read_below_hundred(words, at)
    return found if found is not None and found[0] <= 12 else None


def _with_half(words: Sequence[str], found: tuple[time, int] | None) -> tuple[time, int] | None:
    """Take am or pm behind a time with it, or heed a part of day there or before its preposition."""
    if found is None:
        return None
    moment, stop = found
    length = _length(words, stop, SUFFIXES)
    if length:
        return _in_half(moment, SUFFIXES[tuple(words[stop : stop + length])]), stop + length
    adjust = _part_of_day(words, stop)
    if adjust is None or moment.hour > 12:
        return found
    return moment.replace(hour=adjust(moment.hour)), stop


def _in_half(moment: time, hours: int) -> time:
    return moment.replace(hour=moment.hour % 12 + hours) if moment.hour <= 12 else moment


def _part_of_day(words: Sequence[str], at: int) -> Callable[[int], int] | None:
    length = _length(words, at, PARTS_OF_DAY)
    return PARTS_OF_DAY[tuple(words[at : at + length])] if length else None


def _length(words: Sequence[str], at: int, phrases: Container[tuple[str, ...]]) -> int:
    """How many words of the longest phrase stand at ``at``; 0 for none."""
    for length in (3, 2, 1):
        phrase = tuple(words[at : at + length])
        if len(phrase) == length and phrase in phrases:
            return length
    return 0
