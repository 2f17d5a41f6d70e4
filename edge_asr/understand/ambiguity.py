"""What number words mean beside which words: the tables by which ``written_form`` decides.

Where no table speaks for a number, the words stay. Change a table, not a rule.
"""

from __future__ import annotations


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


KEPT = frozenset(
    {
        ("fifty", "fifty"),
        ("fourth", "of", "july"),
        ("nine", "eleven"),
        ("nine", "inch", "nails"),
        ("seven", "eleven"),
        ("twenty", "four", "seven"),
        ("twenty", "one", "pilots"),
    }
)
"""Idioms and names that stay as they are."""

UNITS_OF_MEASURE = _words(
    "second seconds minute minutes min mins hour hours day days week weeks month months year years",
    "millimeter millimeters centimeter centimeters meter meters kilometer kilometers",
    "millimetre millimetres centimetre centimetres metre metres kilometre kilometres",
    "inch inches foot feet yard yards mile miles acre acres mph knots",
    "gram grams kilogram kilograms kilo kilos kg ounce ounces pound pounds",
    "milliliter milliliters liter liters millilitre millilitres litre litres",
    "cup cups teaspoon teaspoons tablespoon tablespoons pint pints gallon gallons",
    "degree degrees volt volts watt watts kilowatt kilowatts calorie calories decibel decibels",
    "hertz hz kilohertz megahertz pixel pixels",
    "byte bytes kilobyte kilobytes megabyte megabytes gigabyte gigabytes",
    "cent cents pence rupee rupees bucks",
)
"""A number before one of them is written in digits, however small."""

WORDS_AFTER_ONE = _words("day foot inch yard")
"""Units before which ``one`` stays a word: one day it will rain."""

ONE_IS_A_THING = _words("another any each every no some that the this which")
"""Behind them ``one`` stays a word: this one hour, no one minute."""

SINGULAR_UNITS = _words("second minute hour day week month year inch foot mile dollar euro")
"""Before them a digit and a number of two digits are two numbers: one twenty minute timer."""

LABELS = _words(
    "channel chapter episode exit flight floor gate grade highway lane level page platform route season",
    "station terminal track zone",
)
"""A number behind one of them is its name and is written in digits, unless ``of`` or ``more`` follows."""

OPERATORS = frozenset({("plus",), ("minus",), ("times",), ("divided", "by"), ("multiplied", "by")})
"""Between two numbers, both are written in digits."""

JOINTS = _words("to or and through by")
"""Beside them a number is written in digits if the other is: seven to 10, but 10 and one more."""

SECOND_IS_TIME = _words(
    "ad break clip countdown delay interval intervals mark nap pause rule snooze timer timers warning workout"
)
"""Before them ``twenty second`` is a duration and no ordinal; so it is behind ``a``."""

_DAYS = _words("today tomorrow tonight monday tuesday wednesday thursday friday saturday sunday")

AT_A_TIME = _DAYS | _words("after around at before till until morning afternoon evening")
"""Behind them ``six thirty`` is a time."""

PERHAPS_AT_A_TIME = _words("about and between by for from is it's to")
"""Behind them it is one where the sentence speaks of time."""

OF_TIME = _DAYS | _words(
    "alarm alarms appointment calendar clock dinner event lunch meeting morning afternoon evening remind",
    "reminder schedule time wake",
)
"""A sentence with one of these words speaks of time."""

HAS_A_TIME = _words(
    "alarm appointment bus call class dinner flight lunch meeting movie sharp show today tomorrow tonight",
    "train",
)
"""Before them ``six thirty`` is a time."""

PLACES = _words("avenue boulevard court drive lane road street")
"""A number one or two words before them is the number of a house, a fraction before them a street."""

NOON_BEHIND = _DAYS | _words(
    "at around before after by until till from to for is it's between every start starts starting"
)
"""Behind them, or alone, noon and midnight are times; elsewhere they may be names: a midnight train."""

VERBS = _words("march may")
"""Months that are verbs, too."""

BEFORE_A_DATE = _words(
    "after before between by due every for from is last next on since starting through till to until"
)
"""Behind them such a verb is a month: on may first, but you may first ask."""
