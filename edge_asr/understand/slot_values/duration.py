"""Lengths of time from words, as ISO 8601 durations: what was said, minutes not made into hours.

Halves and quarters are told in the next smaller unit: "an hour and a half" is ``PT1H30M``.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_asr.understand.slot_values.number import whole

_UNITS = ("week", "day", "hour", "minute", "second")
_SMALLER = {"day": ("hour", 24), "hour": ("minute", 60), "minute": ("second", 60)}
_QUARTERS = {"half": 2, "quarter": 1, "quarters": 3}
"""Every fraction that can be said, in quarters."""


def duration(words: Sequence[str]) -> str:
    """ "two hours and ten minutes" is "PT2H10M", "half an hour" "PT30M", "two weeks" "P2W".

    Raises
    ------
    ValueError: the words are no length of time.
    """
    amounts = dict.fromkeys(_UNITS, 0)
    count: list[str] = []
    quarters = 0
    unit = ""
    for word in words:
        name = word.removesuffix("s")
        if word in _QUARTERS:
            quarters, count = _QUARTERS[word], count[: _before_fraction(count)]
        elif name in amounts:
            unit = name
            amounts[unit] += _whole_units(count, quarters)
            _add_quarters(amounts, unit, quarters)
            count, quarters = [], 0
        else:
            count.append(word)
    if quarters:
        _add_quarters(amounts, unit, quarters)
    elif count or not unit:
        raise ValueError(f"expected a length of time, got {' '.join(words)!r}")
    return _iso(amounts)


def _before_fraction(count: Sequence[str]) -> int:
    """How many of the words before "half" or "quarter(s)" count whole units: "two and a half"."""
    return len(count) - 2 if tuple(count[-2:]) in (("and", "a"), ("and", "three")) else 0


def _whole_units(count: Sequence[str], quarters: int) -> int:
    """The number before a unit; none before "half an" and "quarter of an"."""
    words = [word for word in count if word not in ("of", "an")]
    words = words[1:] if words[:1] == ["and"] else words
    if quarters and words in ([], ["a"]):
        return 0
    return whole(words) if words else 1


def _add_quarters(amounts: dict[str, int], unit: str, quarters: int) -> None:
    """Tell a fraction of ``unit`` in the next smaller one."""
    if not quarters:
        return
    if unit not in _SMALLER:
        raise ValueError(
            f"expected a fraction of a day, an hour or a minute, got one of {unit or 'nothing'!r}"
        )
    smaller, parts = _SMALLER[unit]
    amounts[smaller] += parts * quarters // 4


def _iso(amounts: dict[str, int]) -> str:
    """ISO 8601, without the units of which there are none."""

    def told(units: Sequence[str]) -> str:
        return "".join(f"{amounts[unit]}{unit[0].upper()}" for unit in units if amounts[unit])

    time = told(_UNITS[2:])
    return f"P{told(_UNITS[:2])}{'T' if time else ''}{time}"
