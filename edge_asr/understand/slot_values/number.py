"""Numbers from words: counted ("one hundred and five"), in pairs ("nineteen eighty"), digit by digit."""

from __future__ import annotations

from collections.abc import Sequence

# fmt: off
_BELOW_TWENTY = {word: value for value, word in enumerate((
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
    "sixteen", "seventeen", "eighteen", "nineteen",
))} | {"oh": 0, "a": 1}
_TENS = {word: 10 * (value + 2) for value, word in enumerate(
    ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
)}
_ORDINALS = {word: value for value, word in enumerate((
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
    "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth",
    "sixteenth", "seventeenth", "eighteenth", "nineteenth",
), start=1)} | {word: 10 * (value + 2) for value, word in enumerate((
    "twentieth", "thirtieth", "fortieth", "fiftieth", "sixtieth", "seventieth", "eightieth", "ninetieth",
))}
# fmt: on
_MINUS = ("minus", "negative")
_REPEATS = {"double": 2, "triple": 3}


def number(words: Sequence[str]) -> int | float:
    """A whole number, or a float where "point" is said; negative after "minus".

    Raises
    ------
    ValueError: the words are no number.
    """
    if words[:1] and words[0] in _MINUS:
        return -number(words[1:])
    if "point" in words:
        point = list(words).index("point")
        return float(f"{whole(words[:point])}.{digits(words[point + 1 :])}")
    return whole(words)


def whole(words: Sequence[str]) -> int:
    """A number without sign and fraction.

    Raises
    ------
    ValueError: the words are no such number.
    """
    for scale, value in (("thousand", 1000), ("hundred", 100)):
        if scale in words:
            at = list(words).index(scale)
            rest = words[at + 1 :]
            rest = rest[1:] if rest[:1] == ["and"] or rest[:1] == ("and",) else rest
            return whole(words[:at]) * value + (whole(rest) if rest else 0)
    if not words:
        raise ValueError("expected a number, got no words")
    # Figures side by side: "nineteen" "eighty four", "one" "oh" "one".
    figures: list[str] = []
    tens = 0
    for word in words:
        if word in _TENS:
            figures.append(str(_TENS[word]))
        elif word in _BELOW_TWENTY:
            value = _BELOW_TWENTY[word]
            if tens and 0 < value < 10:
                figures[-1] = str(tens + value)
            else:
                figures.append(str(value))
        else:
            raise ValueError(f"expected a number, got {' '.join(words)!r}")
        tens = _TENS.get(word, 0)
    return int("".join(figures))


def ordinal(words: Sequence[str]) -> int:
    """Place in a row: "twenty first" is 21.

    Raises
    ------
    ValueError: the words are no ordinal number.
    """
    if not words or words[-1] not in _ORDINALS:
        raise ValueError(f"expected an ordinal number, got {' '.join(words)!r}")
    return _ORDINALS[words[-1]] + (whole(words[:-1]) if words[:-1] else 0)


def is_ordinal(word: str) -> bool:
    """Can ``word`` end an ordinal number?"""
    return word in _ORDINALS


def digits(words: Sequence[str]) -> str:
    """Digits as they are said one by one: "oh one double two" is "0122".

    Raises
    ------
    ValueError: a word that is no digit.
    """
    text = ""
    times = 1
    for word in words:
        if word in _REPEATS:
            times = _REPEATS[word]
        elif _BELOW_TWENTY.get(word, 10) < 10 and word != "a":
            text += times * str(_BELOW_TWENTY[word])
            times = 1
        else:
            raise ValueError(f"expected digits, got {' '.join(words)!r}")
    return text
