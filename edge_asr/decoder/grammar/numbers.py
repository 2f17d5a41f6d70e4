"""Numbers as English words, in every way they are commonly said."""

from __future__ import annotations

from itertools import product

LARGEST = 999_999
"""Numbers beyond this, in either direction, are refused."""
MOST_DECIMALS = 20
"""More digits than this behind the point are refused."""

# fmt: off
_BELOW_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
    "sixteen", "seventeen", "eighteen", "nineteen",
)
# fmt: on
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

Words = tuple[str, ...]


def spell_integer(value: int) -> tuple[Words, ...]:
    """All ways to say ``value``, the shortest common one first.

    105 gives "one hundred five", "one hundred and five", "a hundred five", "a hundred and five".

    Raises
    ------
    ValueError: ``value`` is outside -999,999..999,999.
    """
    if abs(value) > LARGEST:
        raise ValueError(f"numbers go from -{LARGEST:,} to {LARGEST:,}, got {value}")
    if value < 0:
        return tuple(("minus", *words) for words in spell_integer(-value))
    plain = _below_a_million(value)
    with_article = [("a", *words[1:]) for words in plain if words[:1] == ("one",) and len(words) > 1]
    return (*plain, *with_article)


def spell_decimal(text: str) -> tuple[Words, ...]:
    """All ways to say a number written in digits: "20", "-5", "21.5" ("twenty one point five").

    Raises
    ------
    ValueError: ``text`` is not such a number, or it is too large.
    """
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, decimals = digits.partition(".")
    if not whole.isdecimal() or (point and not decimals.isdecimal()):
        raise ValueError(f"expected a number such as 20 or -21.5, got {text!r}")
    # int() itself would refuse thousands of digits, in words of its own.
    if len(whole.lstrip("0")) > len(str(LARGEST)):
        got = text if len(text) < 20 else f"one of {len(whole):,} digits"
        raise ValueError(f"numbers go from -{LARGEST:,} to {LARGEST:,}, got {got}")
    if len(decimals) > MOST_DECIMALS:
        raise ValueError(f"expected up to {MOST_DECIMALS} digits behind the point, got {len(decimals):,}")
    # The sign is put in front here because -0.5 has no sign left in its whole part.
    minus = ("minus",) if sign else ()
    tail = ("point", *(_BELOW_TWENTY[int(digit)] for digit in decimals)) if point else ()
    return tuple((*minus, *words, *tail) for words in spell_integer(int(whole.lstrip("0") or 0)))


def _below_a_hundred(value: int) -> Words:
    """0..99."""
    if value < 20:
        return (_BELOW_TWENTY[value],)
    tens = _TENS[value // 10 - 2]
    return (tens, _BELOW_TWENTY[value % 10]) if value % 10 else (tens,)


def _below_a_thousand(value: int) -> list[Words]:
    """0..999, with and without "and"."""
    hundreds, rest = divmod(value, 100)
    if not hundreds:
        return [_below_a_hundred(rest)]
    head = (_BELOW_TWENTY[hundreds], "hundred")
    if not rest:
        return [head]
    return [(*head, *joint, *_below_a_hundred(rest)) for joint in ((), ("and",))]


def _below_a_million(value: int) -> list[Words]:
    """0..999,999, with and without "and"."""
    thousands, rest = divmod(value, 1000)
    if not thousands:
        return _below_a_thousand(rest)
    heads = [(*words, "thousand") for words in _below_a_thousand(thousands)]
    if not rest:
        return heads
    tails = _below_a_thousand(rest)
    if rest < 100:
        tails = [*tails, *(("and", *words) for words in tails)]
    return [head + tail for head, tail in product(heads, tails)]
