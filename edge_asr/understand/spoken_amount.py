"""Amounts whose unit has a sign: money, percent, temperatures. ``five dollars and twenty cents`` is $5.20."""

from __future__ import annotations

from collections.abc import Sequence

from edge_asr.understand.spoken_integer import read_cardinal, word_at
from edge_asr.understand.spoken_number import SIGNS, SpokenNumber, read_mixed, read_number

CURRENCIES = {
    **{word: "$" for word in ("dollar", "dollars")},
    **{word: "€" for word in ("euro", "euros")},
    **{word: "¥" for word in ("yen",)},
}
POUNDS = frozenset({"pound", "pounds"})
"""Money only with pence or ``sterling``; otherwise a weight."""
HUNDREDTHS = {**{word: "$€" for word in ("cent", "cents")}, **{word: "£" for word in ("penny", "pence")}}
"""The hundredths and the signs of what they are parts of."""
PERCENT = frozenset({("percent",), ("per", "cent")})
SCALES = {**{word: "°C" for word in ("celsius", "centigrade")}, "fahrenheit": "°F"}


def read_amount(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """The amount at ``at``, as it is written, and the index behind it."""
    negative = word_at(words, at) in SIGNS
    number = read_mixed(words, at + negative) or read_number(words, at + negative)
    if number is None:
        return None
    sign = "-" if negative else ""
    unit = word_at(words, number.stop)
    for phrase in PERCENT:
        if tuple(words[number.stop : number.stop + len(phrase)]) == phrase:
            return f"{sign}{number.text} %", number.stop + len(phrase)
    scale = SCALES.get(word_at(words, number.stop + 1))
    if unit in ("degree", "degrees") and scale:
        return f"{sign}{number.text} {scale}", number.stop + 2
    money = _read_money(words, number)
    return (sign + money[0], money[1]) if money else None


def _read_money(words: Sequence[str], number: SpokenNumber) -> tuple[str, int] | None:
    unit, stop = word_at(words, number.stop), number.stop + 1
    if unit in POUNDS:
        currency = "£"
        sure = word_at(words, stop) == "sterling"
        stop += sure
    elif unit in CURRENCIES:
        currency, sure = CURRENCIES[unit], True
    else:
        return None
    joined = word_at(words, stop) == "and"
    part = read_cardinal(words, stop + joined)
    if part is not None and isinstance(number.value, int) and 0 < part[0] < 100:
        named = currency in HUNDREDTHS.get(word_at(words, part[1]), "")
        # Nothing may follow "five dollars twenty": it might be what is counted.
        if named or (part[0] >= 10 and not joined and part[1] == len(words)):
            return f"{currency}{number.value}.{part[0]:02d}", part[1] + named
    if not sure or "/" in number.text:
        return None
    if isinstance(number.value, int) and tuple(words[stop : stop + 3]) == ("and", "a", "half"):
        return f"{currency}{number.value}.50", stop + 3
    # $1.5 is $1.50, but 1.5 million keeps its places.
    one_place = isinstance(number.value, float) and number.text[-2:-1] == "."
    return f"{currency}{number.text}{'0' if one_place else ''}", stop
