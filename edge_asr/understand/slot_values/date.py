"""Dates from words, as ISO 8601 as far as they are known.

| said | value |
|---|---|
| "may third twenty twenty six" | ``2026-05-03`` |
| "the third of may" | ``--05-03`` (no year: ISO 8601:2000, vCard) |
| "on the twenty first" | ``---21`` (neither year nor month) |
| "today", "tomorrow", "yesterday" | the word |
| "monday", "next friday" | the words: ``monday``, ``next friday`` |
| "the day after tomorrow", "in two weeks" | the time from today: ``P2D``, ``P2W`` |
| "the day before yesterday" | ``-P2D`` |

A day of the week beside a date adds nothing. Whether a year has a 29th of February is not asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_asr.understand.slot_values.number import is_ordinal, ordinal, whole

# fmt: off
_MONTHS = {name: number for number, name in enumerate((
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
), start=1)}
# fmt: on
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEAR = {
    ("today",): "today",
    ("tomorrow",): "tomorrow",
    ("yesterday",): "yesterday",
    ("the", "day", "after", "tomorrow"): "P2D",
    ("the", "day", "before", "yesterday"): "-P2D",
}


def date(words: Sequence[str]) -> str:
    """ISO 8601 as far as it is known; see above.

    Raises
    ------
    ValueError: the words are no date.
    """
    said = tuple(words)
    if said in _NEAR:
        return _NEAR[said]
    if said[:1] == ("in",):
        return f"P{whole(said[1:-1])}{said[-1][0].upper()}"
    left = [word for word in said if word not in ("on", "the", "of")]
    if left and left[-1] in _WEEKDAYS:
        return " ".join(left)
    left = left[1:] if left and left[0] in _WEEKDAYS else left
    month = next((word for word in left if word in _MONTHS), "")
    rest = [word for word in left if word != month]
    last = next((i for i, word in enumerate(rest) if is_ordinal(word)), None)
    if last is None:
        raise ValueError(f"expected a date, got {' '.join(said)!r}")
    day, year = ordinal(rest[: last + 1]), rest[last + 1 :]
    if not month:
        return f"---{day:02d}"
    return f"{whole(year) if year else '-'}-{_MONTHS[month]:02d}-{day:02d}"
