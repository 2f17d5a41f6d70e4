"""Times of the day from words, as ``HH:MM`` of 24 hours."""

from __future__ import annotations

from collections.abc import Sequence

from edge_asr.understand.slot_values.number import whole

_NAMED = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}
_PARTS = {
    ("a", "m"): "morning",
    ("p", "m"): "afternoon",
    ("in", "the", "morning"): "morning",
    ("in", "the", "afternoon"): "afternoon",
    ("in", "the", "evening"): "afternoon",
    ("at", "night"): "night",
}
_LATER = ("past", "after")
_EARLIER = ("to", "before", "till", "of")
_AFTER_20 = (("one",), ("two",), ("three",))
_NIGHT_BEGINS = 6
"""Hour of twelve from which "at night" means the evening."""


def time(words: Sequence[str]) -> str:
    """ "half past six" is "06:30", "six thirty p m" "18:30", "eighteen hundred hours" "18:00".

    Raises
    ------
    ValueError: the words are no time.
    """
    if len(words) == 1 and words[0] in _NAMED:
        return _NAMED[words[0]]
    words, part = _without_part(tuple(words))
    minutes = _minutes(words)
    if part:
        minutes %= 12 * 60
        late = part == "afternoon" or (part == "night" and minutes >= _NIGHT_BEGINS * 60)
        minutes += 12 * 60 * late
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _without_part(words: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The words without the part of the day, and that part."""
    for ending, part in _PARTS.items():
        if words[-len(ending) :] == ending:
            return words[: -len(ending)], part
    return words, ""


def _minutes(words: tuple[str, ...]) -> int:
    """Minutes since midnight, the hour taken as said."""
    if words[-1:] == ("hours",):
        words = words[:-1]
    if words[-1:] in (("o'clock",), ("hundred",)):
        return 60 * whole(words[:-1])
    for i, word in enumerate(words):
        if word in _LATER:
            return _of_twelve(60 * whole(words[i + 1 :]) + _count(words[:i]))
        if word in _EARLIER:
            return _of_twelve(60 * whole(words[i + 1 :]) - _count(words[:i]))
    if words[:1] == ("half",):
        return 60 * whole(words[1:]) + 30
    in_two_words = words[:1] in (("oh",), ("zero",)) or (words[:1] == ("twenty",) and words[1:2] in _AFTER_20)
    hour, rest = words[: 1 + in_two_words], words[1 + in_two_words :]
    return 60 * whole(hour) + (whole(rest) if rest else 0)


def _count(words: tuple[str, ...]) -> int:
    """Minutes before or after the hour."""
    if words[-1:] == ("quarter",):
        return 15
    return 30 if words == ("half",) else whole([word for word in words if word not in ("minute", "minutes")])


def _of_twelve(minutes: int) -> int:
    """What is said of the clock face: a quarter to one is 12:45."""
    minutes %= 12 * 60
    return minutes if minutes >= 60 else minutes + 12 * 60
