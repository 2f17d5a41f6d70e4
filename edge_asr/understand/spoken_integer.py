"""Whole numbers in English words: cardinals, ordinals, digit strings and numbers said in pairs.

A ``read_`` function looks at the words from ``at`` on and returns what it read and the index behind it,
or None; an ``_of`` function takes all words or returns None. Words are lower case, without hyphens.
"""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = "one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth "
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth "
    "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth "
    "hundredth thousandth millionth billionth trillionth"
)

UNITS = {word: value for value, word in enumerate(_UNITS.split(), start=1)}
TEENS = {word: value for value, word in enumerate(_TEENS.split(), start=10)}
TENS = {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
HUNDRED = "hundred"
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
ZEROS = frozenset({"zero", "nought", "naught"})
OH = frozenset({"oh", "o"})
"""A zero only among digits; elsewhere an exclamation or a letter."""
REPEATS = {"double": 2, "triple": 3}
LONGEST_DIGITS = 40
"""Parts of a digit string; what comes behind them is not read with them."""
ARTICLES = frozenset({"a", "an"})

_DECADES = {"hundreds": 0, "tens": 10, **{f"{word[:-1]}ies": value for word, value in TENS.items()}}

NUMBER_WORDS = frozenset({*UNITS, *TEENS, *TENS, *ZEROS})
"""Words that are a number by themselves."""

ORDINALS = dict(zip(_ORDINALS.split(), (*UNITS, *TEENS, *TENS, HUNDRED, *SCALES), strict=True))
"""Each ordinal's cardinal."""


def is_numeric(word: str) -> bool:
    """Whether the word is part of a number, spoken or already written."""
    spoken = word in NUMBER_WORDS or word == HUNDRED or word in SCALES
    return spoken or word.lstrip("-").replace(".", "", 1).isdecimal()


def word_at(words: Sequence[str], at: int) -> str:
    """The word there; an empty one outside."""
    return words[at] if 0 <= at < len(words) else ""


def read_below_hundred(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """``seven``, ``twelve``, ``forty`` or ``forty seven``: 1 to 99."""
    word = word_at(words, at)
    if word in TENS:
        unit = UNITS.get(word_at(words, at + 1))
        return (TENS[word] + unit, at + 2) if unit else (TENS[word], at + 1)
    value = UNITS.get(word) or TEENS.get(word)
    return (value, at + 1) if value else None


def read_cardinal(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """``zero``, ``a hundred and five``, ``twelve hundred``, ``one million two hundred thousand and six``.

    Scales descend, and ``and`` stands only before a last part below a hundred that no scale follows:
    ``two hundred and three hundred`` are two numbers.
    """
    if word_at(words, at) in ZEROS:
        return 0, at + 1
    total, limit = 0, 10**15
    stop = at
    while True:
        joined = stop > at and word_at(words, stop) == "and"
        group = _read_group(words, stop + joined, article=stop == at)
        if group is None:
            break
        value, end = group
        scale = SCALES.get(word_at(words, end), 1)
        if scale >= limit or value * scale >= limit or (joined and (value >= 100 or scale > 1)):
            break
        total, limit, stop = total + value * scale, scale, end + (scale > 1)
        if scale == 1:
            break
    return (total, stop) if stop > at else None


def _read_group(words: Sequence[str], at: int, *, article: bool) -> tuple[int, int] | None:
    """What may stand before a scale, up to ``ninety nine hundred and two``; ``a`` only at the front."""
    if article and word_at(words, at) in ARTICLES:
        following = word_at(words, at + 1)
        if following in SCALES:
            return 1, at + 1
        head: tuple[int, int] | None = (1, at + 1) if following == HUNDRED else None
    else:
        head = read_below_hundred(words, at)
    if head is None or word_at(words, head[1]) != HUNDRED:
        return head
    value, stop = 100 * head[0], head[1] + 1
    joined = word_at(words, stop) == "and"
    rest = read_below_hundred(words, stop + joined)
    if rest is None or word_at(words, rest[1]) == HUNDRED:
        return value, stop
    return value + rest[0], rest[1]


def read_ordinal(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """``first``, ``twenty first``, ``two hundred and seventeenth``."""
    head = read_cardinal(words, at)
    # Only the last word of the number may be an ordinal: find it behind what is read as a cardinal.
    last = head[1] if head else at
    if head and word_at(words, last) == "and":
        last += 1
    word = word_at(words, last)
    if word not in ORDINALS:
        return None
    whole = read_cardinal([*words[at:last], ORDINALS[word]], 0)
    if whole is None or whole[1] != last - at + 1:
        # A hundredth or a thousandth alone has no number before it.
        scale = SCALES.get(ORDINALS[word]) or (100 if ORDINALS[word] == HUNDRED else None)
        return (scale, at + 1) if scale and last == at else None
    return whole[0], last + 1


def read_pair(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """Four digits said by twos, as years and codes are: ``nineteen eighty four``, ``twenty oh five``.

    The first half is 10 to 20. Neither counting (``thirteen fourteen``, but ``nineteen twenty`` is a year)
    nor a list (a third number follows) is a pair.
    """
    word = word_at(words, at)
    head = TEENS.get(word) or (20 if word == "twenty" else None)
    if head is None:
        return None
    if word_at(words, at + 1) in OH:
        unit = UNITS.get(word_at(words, at + 2))
        return (100 * head + unit, at + 3) if unit else None
    tail = read_below_hundred(words, at + 1)
    if tail is None or tail[0] < 10:
        return None
    counting = tail[0] == head + 1 < 20
    return None if counting or word_at(words, tail[1]) in NUMBER_WORDS else (100 * head + tail[0], tail[1])


def read_decade(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """``nineteen nineties`` and ``eighteen hundreds``: the first year."""
    word = word_at(words, at)
    head = TEENS.get(word) or (20 if word == "twenty" else None)
    following = word_at(words, at + 1)
    if head is None or following not in _DECADES:
        return None
    return 100 * head + _DECADES[following], at + 2


def read_digits(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """A number said digit by digit, by twos in between: ``five five five twelve``, ``double seven``.

    Needs three parts, or a repeated digit, or a digit and a two-digit number (``seven forty seven``).
    """
    parts, stops = _read_parts(words, at)
    following = word_at(words, stops[-1]) if stops else ""
    if following in (HUNDRED, *SCALES) or (following in ORDINALS and words[stops[-1] - 1] in TENS):
        # The last part is another number's: nine one one, two hundred; nine one one, twenty first.
        parts, stops = parts[:-1], stops[:-1]
    by_twos = [len(part) > 1 for part in parts]
    repeated = any(words[start] in REPEATS for start in (at, *stops[:-1])) if parts else False
    enough = len(parts) > 2 or repeated or (by_twos == [False, True] and words[at] not in OH)
    # Two-digit numbers alone are a list: twenty, thirty, forty.
    return ("".join(parts), stops[-1]) if enough and not (by_twos[0] and not repeated) else None


def digits_of(words: Sequence[str]) -> str | None:
    """All words as a string of digits, however few: ``one two`` is 12."""
    parts, stops = _read_parts(words, 0)
    return "".join(parts) if stops and stops[-1] == len(words) else None


def _read_parts(words: Sequence[str], at: int) -> tuple[list[str], list[int]]:
    """Digits, repeated digits and two-digit numbers in a row, and where each ends."""
    parts: list[str] = []
    stops: list[int] = []
    while at < len(words) and len(parts) < LONGEST_DIGITS:
        word = words[at]
        times = REPEATS.get(word, 1)
        digit = _digit(word_at(words, at + (times > 1)))
        if digit is not None:
            parts.append(digit * times)
            at += 2 if times > 1 else 1
        else:
            number = read_below_hundred(words, at)
            if number is None:
                break
            parts.append(str(number[0]))
            at = number[1]
        stops.append(at)
    return parts, stops


def _digit(word: str) -> str | None:
    if word in UNITS:
        return str(UNITS[word])
    return "0" if word in ZEROS or word in OH else None


def integer_of(words: Sequence[str]) -> int | None:
    """All words as one whole number, in the first reading that takes them all: cardinal, pair, digits."""
    for read in (read_cardinal, read_pair):
        found = read(words, 0)
        if found is not None and found[1] == len(words):
            return found[0]
    text = digits_of(words)
    return int(text) if text else None


def ordinal_of(words: Sequence[str]) -> int | None:
    """All words as one ordinal: ``twenty first`` is 21."""
    found = read_ordinal(words, 0)
    return found[0] if found is not None and found[1] == len(words) else None
