"""Dates: "the third of may", "may third twenty twenty six", "next monday", "on the twenty first"."""

from __future__ import annotations

from edge_asr.decoder.grammar.builtin.number import TENS, UNITS, add_below_hundred, add_second_pair
from edge_asr.decoder.grammar.builtin.sketch import Sketch
from edge_asr.decoder.network import WordNetwork

WEEKDAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_LONG_MONTHS = "january|march|may|july|august|october|december"
_SHORT_MONTHS = "april|june|september|november"
_FEBRUARY = "february"
_FIRST_DAYS = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
_TEEN_DAYS = (
    "tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth"
)
_DAYS = {29: f"{_FIRST_DAYS}|{_TEEN_DAYS}|twentieth", 30: "thirtieth", 31: "thirty first"}
"""Days by the last one of the months that have them; "twenty first" to "twenty ninth" are added."""
_MONTHS = {29: f"{_LONG_MONTHS}|{_SHORT_MONTHS}|{_FEBRUARY}", 30: f"{_LONG_MONTHS}|{_SHORT_MONTHS}"} | {
    31: _LONG_MONTHS
}
"""Months that have the day."""


def date() -> WordNetwork:
    """A date, with or without year, month or day of the week."""
    sketch = Sketch("date")
    _add_relative(sketch)
    on = sketch.after(sketch.start, "on|")
    day = sketch.after(on, f"{WEEKDAYS}|")
    year = sketch.node()
    sketch.skip(year, sketch.end)
    _add_year(sketch, year, sketch.end)
    # "[the] third of may"
    numbered = sketch.after(day, "the|")
    for last in (29, 30, 31):
        of = sketch.node()
        _add_days(sketch, numbered, of, last)
        sketch.say(sketch.after(of, "of"), year, _MONTHS[last])
    # "may [the] third"
    for months, lasts in ((_LONG_MONTHS, (29, 30, 31)), (_SHORT_MONTHS, (29, 30)), (_FEBRUARY, (29,))):
        ordinal = sketch.after(sketch.after(day, months), "the|")
        for last in lasts:
            _add_days(sketch, ordinal, year, last)
    # "the third", "monday the third"
    alone = sketch.after(day, "the")
    for last in (29, 30, 31):
        _add_days(sketch, alone, sketch.end, last)
    return sketch.network


def _add_relative(sketch: Sketch) -> None:
    """ "tomorrow", "next monday", "in three days"."""
    sketch.say(sketch.start, sketch.end, "today|tomorrow|yesterday")
    sketch.say(sketch.start, sketch.end, "the day after tomorrow|the day before yesterday")
    sketch.say(sketch.after(sketch.after(sketch.start, "on|"), "this|next|last|"), sketch.end, WEEKDAYS)
    into = sketch.after(sketch.start, "in")
    sketch.say(into, sketch.end, "a day|one day|a week|one week")
    count = sketch.node()
    sketch.say(into, count, f"{UNITS}|ten|eleven|twelve|thirteen|fourteen")
    sketch.say(into, count, f"{TENS}")
    sketch.say(count, sketch.end, "days|weeks")


def _add_days(sketch: Sketch, source: int, target: int, last: int) -> None:
    """Put the days of ``_DAYS[last]`` between two nodes."""
    sketch.say(source, target, _DAYS[last])
    if last == 29:
        sketch.say(sketch.after(source, "twenty"), target, _FIRST_DAYS)


def _add_year(sketch: Sketch, source: int, target: int) -> None:
    """1900 to 2099: "nineteen eighty four", "two thousand and five", "twenty twenty six"."""
    add_second_pair(sketch, sketch.after(source, "nineteen|twenty"), target)
    sketch.say(source, target, "nineteen hundred")
    thousands = sketch.after(source, "two thousand")
    sketch.skip(thousands, target)
    add_below_hundred(sketch, sketch.after(thousands, "and|"), target)
