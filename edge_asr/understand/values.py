"""From the words of a slot to its value: what a built-in slot (``decoder/grammar/builtin``) means.

| slot | value |
|---|---|
| ``number``, ``signed_number`` | int: "a hundred and five" is 105, "nineteen eighty" 1980, "one oh one" 101 |
| ``decimal``, ``signed_decimal`` | float where "point" is said, else int |
| ``ordinal`` | int: "twenty first" is 21 |
| ``digits`` | text: "oh one double two" is "0122" |
| ``time`` | text ``HH:MM`` of 24 hours: "half past six" is "06:30", "six p m" "18:00" |
| ``date`` | text: ISO 8601 as far as it is known (see ``slot_values/date.py``): "--05-03", "tomorrow" |
| ``duration`` | text: ISO 8601 as said: "an hour and a half" is "PT1H30M", "ninety seconds" "PT90S" |
| ``spelling`` | text of small letters and digits: "b c double seven" is "bc77" |

A hour said without "a m", "p m" or a part of the day is taken as said: "six thirty" is "06:30".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

Value = str | int | float

CONVERTERS = {
    "number": "edge_asr.understand.slot_values.number:number",
    "signed_number": "edge_asr.understand.slot_values.number:number",
    "decimal": "edge_asr.understand.slot_values.number:number",
    "signed_decimal": "edge_asr.understand.slot_values.number:number",
    "ordinal": "edge_asr.understand.slot_values.number:ordinal",
    "digits": "edge_asr.understand.slot_values.number:digits",
    "time": "edge_asr.understand.slot_values.clock:time",
    "date": "edge_asr.understand.slot_values.date:date",
    "duration": "edge_asr.understand.slot_values.duration:duration",
    "spelling": "edge_asr.understand.slot_values.letters:spelling",
}
"""Name -> pure function from words to a value, which raises ValueError for other words."""


def convert(name: str, words: Sequence[str]) -> Value:
    """What ``words`` mean to the converter.

    Raises
    ------
    ValueError: no such converter, or words that no slot of this kind has.
    """
    if name not in CONVERTERS:
        raise ValueError(f"unknown converter {name!r}: expected one of {', '.join(CONVERTERS)}")
    module, _, function = CONVERTERS[name].partition(":")
    converter: Callable[[Sequence[str]], Value] = getattr(import_module(module), function)
    return converter(words)
