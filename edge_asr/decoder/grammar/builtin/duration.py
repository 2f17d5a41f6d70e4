"""Lengths of time: "five minutes", "an hour and a half", "two hours and ten minutes", "ninety seconds"."""

from __future__ import annotations

from edge_asr.decoder.grammar.builtin.number import add_below_thousand
from edge_asr.decoder.grammar.builtin.sketch import Sketch
from edge_asr.decoder.network import WordNetwork

_UNITS = (
    ("day", "a day", "half a day"),
    ("hour", "an hour", "half an hour"),
    ("minute", "a minute", "half a minute"),
    ("second", "a second", ""),
)
"""The unit, one of it, and half of one; the longest first."""


def duration() -> WordNetwork:
    """Up to 999 days, hours, minutes and seconds in this order, their halves and quarters; or weeks."""
    sketch = Sketch("duration")
    _add_counted(sketch, sketch.start, sketch.end, "week", "a week")
    node = sketch.start
    for unit, one, half in _UNITS:
        said = sketch.node()
        _add_counted(sketch, node, said, unit, one)
        if half:
            sketch.say(node, sketch.end, half)
            _add_fractions(sketch, node, said, unit)
        sketch.skip(said, sketch.end)
        if unit != "second":
            following = sketch.node()
            sketch.say(said, following, "and|")
            sketch.skip(node, following)
            node = following
    return sketch.network


def _add_counted(sketch: Sketch, source: int, target: int, unit: str, one: str) -> None:
    """ "five minutes", "a minute"."""
    sketch.say(source, target, f"{one}|one {unit}")
    count = sketch.node()
    add_below_thousand(sketch, source, count)
    sketch.say(count, target, f"{unit}s")


def _add_fractions(sketch: Sketch, source: int, said: int, unit: str) -> None:
    """ "two and a half hours"; behind "two hours": "and a half"; of an hour also quarters."""
    count = sketch.node()
    add_below_thousand(sketch, source, count)
    sketch.say(sketch.after(count, "and a half"), sketch.end, f"{unit}s")
    sketch.say(said, sketch.end, "and a half")
    if unit == "hour":
        sketch.say(said, sketch.end, "and a quarter|and three quarters")
        quarters = sketch.after(source, "quarter|a quarter|three quarters")
        sketch.say(quarters, sketch.end, "of an hour")
