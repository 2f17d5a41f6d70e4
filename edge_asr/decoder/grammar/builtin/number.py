"""Numbers from 0 to 9999 in all ways they are said; fractions, signs, ordinals and strings of digits.

Parts that end alike share their nodes: a number takes about 250 arcs, not one way for each of ten
thousand numbers. Ways that are rarer than counting ("nineteen eighty", "one oh five") cost a little,
so that of two that sound alike the usual one is heard.
"""

from __future__ import annotations

from edge_asr.decoder.grammar.builtin.sketch import Sketch
from edge_asr.decoder.network import WordNetwork

UNITS = "one|two|three|four|five|six|seven|eight|nine"
TEENS = "eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
DIGITS = f"zero|oh|{UNITS}"
_ORDINAL_UNITS = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
_ORDINAL_TEENS = (
    "tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth"
)
_ORDINAL_TENS = "twentieth|thirtieth|fortieth|fiftieth|sixtieth|seventieth|eightieth|ninetieth"

RARE = -1.0
"""Weight of a rarer way to say a number, natural log."""
_MOST_DECIMALS = 4


def number() -> WordNetwork:
    """0 to 9999: "twenty three", "one hundred and five", "nineteen eighty", "one oh one"."""
    sketch = Sketch("number")
    add_number(sketch, sketch.start, sketch.end)
    return sketch.network


def signed_number() -> WordNetwork:
    """-9999 to 9999: "minus five"."""
    sketch = Sketch("signed_number")
    add_number(sketch, sketch.after(sketch.start, "minus|negative|"), sketch.end)
    return sketch.network


def decimal() -> WordNetwork:
    """0 to 9999, up to four decimals: "three point five"."""
    sketch = Sketch("decimal")
    _add_decimal(sketch, sketch.start)
    return sketch.network


def signed_decimal() -> WordNetwork:
    """As ``decimal``, perhaps with a minus: "minus three point five"."""
    sketch = Sketch("signed_decimal")
    _add_decimal(sketch, sketch.after(sketch.start, "minus|negative|"))
    return sketch.network


def ordinal() -> WordNetwork:
    """First to ninety ninth."""
    sketch = Sketch("ordinal")
    sketch.say(sketch.start, sketch.end, f"{_ORDINAL_UNITS}|{_ORDINAL_TEENS}|{_ORDINAL_TENS}")
    sketch.say(sketch.after(sketch.start, TENS), sketch.end, _ORDINAL_UNITS)
    return sketch.network


def digits() -> WordNetwork:
    """Any digits, as of a telephone or a code: "oh one six one", "double seven"."""
    sketch = Sketch("digits")
    first, last = sketch.node(), sketch.node()
    sketch.skip(sketch.start, first)
    sketch.say(first, last, DIGITS)
    sketch.say(sketch.after(first, "double|triple"), last, DIGITS)
    sketch.skip(last, first)
    sketch.skip(last, sketch.end)
    return sketch.network


def add_number(sketch: Sketch, source: int, target: int) -> None:
    """Put 0 to 9999 between two nodes."""
    sketch.say(source, target, "zero")
    hundreds = sketch.node()
    add_below_thousand(sketch, source, target, behind_hundred=hundreds)
    # "nineteen hundred", "twenty five hundred"
    eleven_or_more = sketch.node()
    sketch.say(source, eleven_or_more, TEENS, weight=RARE)
    tens = sketch.node()
    sketch.say(source, tens, TENS, weight=RARE)
    sketch.say(tens, eleven_or_more, UNITS)
    sketch.say(eleven_or_more, hundreds, "hundred")

    thousands = sketch.after(sketch.after(source, f"{UNITS}|a"), "thousand")
    sketch.skip(thousands, target)
    add_below_hundred(sketch, sketch.after(thousands, "and|"), target)
    sketch.say(sketch.after(thousands, UNITS), hundreds, "hundred")

    _add_pairs(sketch, source, target)
    digit = sketch.node()
    sketch.say(source, digit, UNITS, weight=RARE)
    for _ in range(2):
        after = sketch.after(digit, DIGITS)
        sketch.skip(after, target)
        digit = after
    sketch.say(digit, target, DIGITS)


def _add_pairs(sketch: Sketch, source: int, target: int) -> None:
    """ "nineteen eighty four", "twenty oh five", "three fifty": two figures at a time."""
    pair = sketch.node()
    sketch.say(source, pair, f"ten|{TEENS}|{UNITS}", weight=RARE)
    tens = sketch.node()
    sketch.say(source, tens, TENS, weight=RARE)
    sketch.say(tens, pair, f"{UNITS}|")
    add_second_pair(sketch, pair, target)


def add_second_pair(sketch: Sketch, source: int, target: int) -> None:
    """The last two figures of four: 01 as "oh one", and 10 to 99."""
    sketch.say(source, target, f"ten|{TEENS}")
    sketch.say(sketch.after(source, TENS), target, f"{UNITS}|")
    sketch.say(sketch.after(source, "oh|zero"), target, UNITS)


def add_below_hundred(sketch: Sketch, source: int, target: int) -> None:
    """Put 1 to 99 between two nodes."""
    sketch.say(source, target, f"{UNITS}|ten|{TEENS}")
    sketch.say(sketch.after(source, TENS), target, f"{UNITS}|")


def add_below_thousand(
    sketch: Sketch, source: int, target: int, *, behind_hundred: int | None = None
) -> None:
    """Put 1 to 999 between two nodes.

    Parameters
    ----------
    behind_hundred: node to use behind the word "hundred", so that more ways can lead there.
    """
    add_below_hundred(sketch, source, target)
    hundreds = sketch.node() if behind_hundred is None else behind_hundred
    sketch.say(sketch.after(source, f"{UNITS}|a"), hundreds, "hundred")
    sketch.skip(hundreds, target)
    add_below_hundred(sketch, sketch.after(hundreds, "and|"), target)


def _add_decimal(sketch: Sketch, source: int) -> None:
    whole = sketch.node()
    add_number(sketch, source, whole)
    sketch.skip(whole, sketch.end)
    node = sketch.after(whole, "point")
    for _ in range(_MOST_DECIMALS):
        node = sketch.after(node, DIGITS)
        sketch.skip(node, sketch.end)
