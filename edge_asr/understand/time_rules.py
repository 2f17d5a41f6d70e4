"""Where number words are a time of day, as ``ambiguity`` says: the rule for times of ``written_rules``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from edge_asr.understand import ambiguity
from edge_asr.understand.spoken_amount import CURRENCIES, PERCENT
from edge_asr.understand.spoken_integer import OH, is_numeric, word_at
from edge_asr.understand.spoken_number import POINT
from edge_asr.understand.spoken_time import (
    NAMED,
    SUFFIXES,
    read_bare_hour,
    read_clock,
    read_hour,
    read_hour_minutes,
    read_minutes_to,
)

_NO_TIME_BEFORE = (
    ambiguity.UNITS_OF_MEASURE
    | ambiguity.PLACES
    | frozenset(CURRENCIES)
    | {phrase[0] for phrase in PERCENT}
    | {POINT}
)
_SUFFIX_ENDS = frozenset(phrase[-1] for phrase in SUFFIXES)


def write_time(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """The time at ``at`` as HH:MM and the index behind it, if a time is meant."""
    found = (
        _read_first_of_two(words, at)
        or _read_sure(words, at)
        or _read_minutes_to(words, at)
        or _read_hour_minutes(words, at)
        or _read_hour(words, at)
    )
    return (f"{found[0]:%H:%M}", found[1]) if found else None


def _read_sure(words: Sequence[str], at: int) -> tuple[time, int] | None:
    found = read_clock(words, at)
    if words[at] in NAMED and len(words) > 1 and word_at(words, at - 1) not in ambiguity.NOON_BEHIND:
        return None
    return found


def _read_first_of_two(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """``between three and five p m``: the first has the second's half of the day, or the one before it."""
    if word_at(words, at - 1) not in ("between", "for", "from"):
        return None
    found = read_hour_minutes(words, at) or read_bare_hour(words, at)
    if found is None or word_at(words, found[1]) not in ("and", "to", "till", "until", "through"):
        return None
    second = read_clock(words, found[1] + 1)
    if second is None or words[second[1] - 1] not in _SUFFIX_ENDS or found[0].hour > 12:
        return None
    half = second[0].hour // 12 * 12
    first = found[0].replace(hour=found[0].hour % 12 + half)
    return (first if first < second[0] else first.replace(hour=(first.hour + 12) % 24)), found[1]


def _read_minutes_to(words: Sequence[str], at: int) -> tuple[time, int] | None:
    alone = read_minutes_to(words, at)
    if alone is None or is_numeric(word_at(words, alone[1])):
        return None
    whole = at == 0 and alone[1] == len(words)
    return alone if whole or word_at(words, at - 1) in ambiguity.AT_A_TIME else None


def _read_hour_minutes(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """``six thirty`` where it is neither 630 nor the beginning of something longer."""
    found = read_hour_minutes(words, at)
    if found is None:
        return None
    moment, stop = found
    before, after = word_at(words, at - 1), word_at(words, stop)
    if after in _NO_TIME_BEFORE or is_numeric(after) or word_at(words, stop + 1) in ambiguity.PLACES:
        return None
    if moment.hour > 12 and read_bare_hour(words, at) is None:
        return found if before == "at" else None  # "by twenty thirty" is a year
    meant = (
        before in ambiguity.AT_A_TIME
        or (before in ambiguity.PERHAPS_AT_A_TIME and not ambiguity.OF_TIME.isdisjoint(words))
        or after in ambiguity.HAS_A_TIME
        or (at == 0 and stop == len(words) and OH.isdisjoint(words))  # "one oh one" is rather a number
    )
    return found if meant else None


def _read_hour(words: Sequence[str], at: int) -> tuple[time, int] | None:
    """``at three in the morning``; ``take two in the morning`` is no time."""
    expected = word_at(words, at - 1) in ambiguity.AT_A_TIME | ambiguity.PERHAPS_AT_A_TIME
    return read_hour(words, at) if expected else None
