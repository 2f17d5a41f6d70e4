"""Times of the day: "half past six", "six thirty p m", "quarter to nine", "eighteen hundred hours"."""

from __future__ import annotations

from edge_asr.decoder.grammar.builtin.number import RARE, TEENS, UNITS
from edge_asr.decoder.grammar.builtin.sketch import Sketch
from edge_asr.decoder.network import WordNetwork

_TWELVE = f"{UNITS}|ten|eleven|twelve"
_AFTERNOON = "thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty"
_DAY_PARTS = "a m|p m|in the morning|in the afternoon|in the evening|at night"
_TENS = "twenty|thirty|forty|fifty"


def time() -> WordNetwork:
    """A time of the day."""
    sketch = Sketch("time")
    sketch.say(sketch.start, sketch.end, "noon|midday|midnight")

    # An hour of twelve, then perhaps the part of the day.
    part = sketch.node()
    sketch.say(part, sketch.end, f"{_DAY_PARTS}|")
    hour = sketch.after(sketch.start, _TWELVE)
    sketch.say(hour, part, "o'clock|")
    _add_minutes(sketch, hour, part)

    # "ten minutes past six", "a quarter to nine", "half six"
    relation = sketch.node()
    sketch.say(relation, part, _TWELVE)
    sketch.say(sketch.start, relation, "half past")
    sketch.say(sketch.start, relation, "half", weight=RARE)
    minutes = sketch.after(sketch.start, "quarter|a quarter|five|ten|twenty|twenty five|one minute")
    counted = sketch.node()
    sketch.say(sketch.start, counted, f"{UNITS}|ten|{TEENS}")
    sketch.say(sketch.after(sketch.start, _TENS), counted, f"{UNITS}|")
    sketch.say(counted, minutes, "minutes")
    sketch.say(minutes, relation, "past|after|to|before|till|of")

    _add_day_of_24(sketch)
    return sketch.network


def _add_minutes(sketch: Sketch, source: int, target: int) -> None:
    """01 as "oh one", and 10 to 59."""
    sketch.say(source, target, f"ten|{TEENS}")
    sketch.say(sketch.after(source, _TENS), target, f"{UNITS}|")
    sketch.say(sketch.after(source, "oh|zero"), target, UNITS)


def _add_day_of_24(sketch: Sketch) -> None:
    """ "eighteen thirty", "eighteen hundred hours", "oh six hundred", "zero six fifteen"."""
    hours = sketch.node()
    sketch.say(hours, sketch.end, "hours|")
    late = sketch.after(sketch.start, _AFTERNOON)
    sketch.say(sketch.after(sketch.start, "twenty"), late, "one|two|three")
    early = sketch.after(sketch.after(sketch.start, "oh|zero"), f"{UNITS}|zero")
    for hour in (late, early):
        _add_minutes(sketch, hour, hours)
        sketch.say(hour, hours, "hundred")
    sketch.say(sketch.after(sketch.start, "ten|eleven|twelve"), hours, "hundred")
