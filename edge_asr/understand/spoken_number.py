"""Numbers in English words: whole, decimal, negative, fractions; the longest reading wins.

``number_of`` types a slot; ``read_number`` finds the number that begins at a word of a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from edge_asr.understand.spoken_integer import (
    LONGEST_DIGITS,
    OH,
    ORDINALS,
    SCALES,
    UNITS,
    ZEROS,
    integer_of,
    read_below_hundred,
    read_cardinal,
    read_digits,
    read_pair,
    word_at,
)

POINT = "point"
SIGNS = frozenset({"minus", "negative"})
LARGE = frozenset({"million", "billion", "trillion"})
"""Scales that stay a word behind a round number: 2.5 million."""

DENOMINATORS = {
    **{word: 2 for word in ("half", "halves")},
    **{word: 4 for word in ("quarter", "quarters")},
    **{ordinal: value for value, ordinal in enumerate(ORDINALS, start=1) if 3 <= value <= 12},
    **{f"{ordinal}s": value for value, ordinal in enumerate(ORDINALS, start=1) if 3 <= value <= 12},
    **{"sixteenth": 16, "sixteenths": 16, "hundredths": 100, "thousandths": 1000},
}
"""``second`` is time and ``hundredth`` an ordinal, never a part."""


@dataclass(frozen=True, slots=True)
class SpokenNumber:
    """A number and where its words end."""

    value: int | float
    text: str
    """As it is written: ``101.9``, ``007``, ``2.5 million``."""
    stop: int
    """Index behind its last word."""
    small: bool = False
    """``zero`` to ``nine``, which are usually written in words."""


def read_number(words: Sequence[str], at: int) -> SpokenNumber | None:
    """The longest number without sign that begins at ``at``; of equally long ones the cardinal."""
    whole = _read_whole(words, at)
    decimal = _read_decimal(words, at, whole)
    if decimal is not None:
        return decimal
    if whole is None:
        return None
    scale = words[whole.stop - 1]
    # "two million" was one small number and a scale; anything in between would leave a remainder.
    if scale in LARGE and whole.value < 1000 * SCALES[scale]:
        return SpokenNumber(whole.value, f"{whole.value // SCALES[scale]} {scale}", whole.stop)
    return whole


def _read_whole(words: Sequence[str], at: int) -> SpokenNumber | None:
    """Cardinal, pair or digit string, the longest."""
    best: SpokenNumber | None = None
    for read in (read_cardinal, read_pair):
        found = read(words, at)
        if found is not None and (best is None or found[1] > best.stop):
            value, stop = found
            best = SpokenNumber(value, str(value), stop, small=stop == at + 1 and value < 10)
    digits = read_digits(words, at)
    if digits is not None and (best is None or digits[1] > best.stop):
        best = SpokenNumber(int(digits[0]), *digits)
    return best


def _read_decimal(words: Sequence[str], at: int, whole: SpokenNumber | None) -> SpokenNumber | None:
    """A point and its digits behind ``whole`` (zero where there is none), and a scale behind them."""
    point = at if whole is None else whole.stop
    oh = whole is None and word_at(words, at) in OH  # "oh point five"
    point += oh
    if word_at(words, point) != POINT:
        return None
    places, stop = "", point + 1
    while stop < len(words) and len(places) < LONGEST_DIGITS:
        word = words[stop]
        if word in UNITS:
            places += str(UNITS[word])
        elif word in ZEROS or word in OH:
            places += "0"
        else:
            break
        stop += 1
    if not places:
        # "three point fourteen", "point twenty five"
        found = read_below_hundred(words, stop)
        if found is None:
            return None
        places, stop = str(found[0]), found[1]
    text = f"{whole.text if whole else 0}.{places}"
    scale = word_at(words, stop)
    if scale not in SCALES:
        return SpokenNumber(float(text), text, stop)
    value = round(float(text) * SCALES[scale], 6)  # 2.3 * 10**6 is not 2300000 in binary
    value = int(value) if value.is_integer() else value
    return SpokenNumber(value, f"{text} {scale}" if scale in LARGE else str(value), stop + 1)


def read_fraction(words: Sequence[str], at: int) -> tuple[int, int, int] | None:
    """``one half``, ``two thirds``: numerator, denominator, stop. Two quarters are coins."""
    numerator = read_below_hundred(words, at)
    if numerator is None:
        return None
    name = word_at(words, numerator[1])
    denominator = DENOMINATORS.get(name, 0)
    plural = name.endswith("s")
    if not numerator[0] < denominator or plural != (numerator[0] > 1) or gcd(numerator[0], denominator) > 1:
        return None
    return numerator[0], denominator, numerator[1] + 1


def read_mixed(words: Sequence[str], at: int) -> SpokenNumber | None:
    """``two and a half``, ``one and three quarters``, ``two and two thirds`` (2 2/3: no decimal is exact)."""
    whole = read_cardinal(words, at)
    if whole is None or word_at(words, whole[1]) != "and":
        return None
    value, after = whole[0], whole[1] + 1
    article = word_at(words, after) == "a"
    denominator = DENOMINATORS.get(word_at(words, after + article), 0)
    if denominator in (2, 4) and not word_at(words, after + article).endswith("s"):
        return _mixed(value, 1, denominator, after + article + 1)
    fraction = read_fraction(words, after)
    return _mixed(value, *fraction) if fraction else None


def _mixed(whole: int, numerator: int, denominator: int, stop: int) -> SpokenNumber:
    value = whole + numerator / denominator
    exact = denominator in (2, 4, 5, 8, 10, 16, 100, 1000)
    return SpokenNumber(value, str(value) if exact else f"{whole} {numerator}/{denominator}", stop)


def number_of(words: Sequence[str]) -> int | float | None:
    """All words as one number: ``minus twenty three point five``, ``two and a half``, ``two thirds``."""
    signed = bool(words) and words[0] in SIGNS
    rest = words[signed:]
    value: int | float | None = None
    for found in (read_mixed(rest, 0), read_number(rest, 0)):
        if found is not None and found.stop == len(rest):
            value = found.value
            break
    else:
        fraction = read_fraction(rest, 0)
        if fraction is not None and fraction[2] == len(rest):
            value = fraction[0] / fraction[1]
        else:
            value = integer_of(rest)
    return -value if signed and value is not None else value
