"""The rules of ``written_form``: each says how the words at a place are written, or None."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge_asr.understand import ambiguity
from edge_asr.understand.spelled import read_spelled
from edge_asr.understand.spoken_amount import CURRENCIES, PERCENT, read_amount
from edge_asr.understand.spoken_date import MONTHS, read_date
from edge_asr.understand.spoken_integer import (
    ARTICLES,
    HUNDRED,
    NUMBER_WORDS,
    OH,
    ORDINALS,
    REPEATS,
    SCALES,
    TENS,
    UNITS,
    is_numeric,
    read_cardinal,
    read_decade,
    read_ordinal,
    word_at,
)
from edge_asr.understand.spoken_number import (
    LARGE,
    POINT,
    SIGNS,
    SpokenNumber,
    read_fraction,
    read_mixed,
    read_number,
)
from edge_asr.understand.spoken_time import NAMED
from edge_asr.understand.time_rules import write_time

Found = tuple[str, int] | None
"""What is written and the index behind the last word it stands for."""

_BEGIN = frozenset(
    {*NUMBER_WORDS, HUNDRED, *SCALES, *ORDINALS, *OH, *REPEATS, *SIGNS, *ARTICLES, POINT}
    | {*MONTHS, *NAMED, "the", "half", "quarter"}
)
_KEPT_BEGIN = frozenset(phrase[0] for phrase in ambiguity.KEPT)
_MEASURES = ambiguity.UNITS_OF_MEASURE | LARGE | frozenset(CURRENCIES) | {phrase[0] for phrase in PERCENT}


def may_begin(word: str) -> bool:
    """Whether any rule may apply where this word stands."""
    return word in _BEGIN or len(word) == 1


def read_kept(words: Sequence[str], at: int) -> int | None:
    """The index behind a phrase that is never changed.

    That is one of the table, an old number (``four and twenty blackbirds``), and a hundred of nothing with
    what is added to it (``the hundred and forty villages``).
    """
    word, joined = words[at], word_at(words, at + 1) == "and"
    if word in UNITS and joined and word_at(words, at - 1) != "between":
        tens, unit = word_at(words, at + 2), word_at(words, at + 3)
        return at + 3 if (tens in TENS and unit not in UNITS) or ORDINALS.get(tens) in TENS else None
    if word == HUNDRED or word in SCALES:
        rest = read_ordinal(words, at + 1 + joined) or read_cardinal(words, at + 1 + joined)
        return rest[1] if rest else None
    if word not in _KEPT_BEGIN:
        return None
    stops = [at + len(phrase) for phrase in ambiguity.KEPT if tuple(words[at : at + len(phrase)]) == phrase]
    return max(stops) if stops and write_time(words, at) is None else None  # but "at seven eleven"


def _write_date(words: Sequence[str], at: int) -> Found:
    date = read_date(words, at)
    if date is None:
        return None
    name = next(word for word in words[at : date.stop] if word in MONTHS)
    verb = name in ambiguity.VERBS and date.year is None and not date.linked
    if verb and not date.bare:  # "you may first ask", but "may fifth" and "march first"
        verb = name == "may" and (not date.month_first or words[date.stop - 1] in ("first", "second"))
    if verb and word_at(words, at - 1) not in ambiguity.BEFORE_A_DATE:
        return None
    month, day = name.capitalize(), date.day
    parts = (month, day, date.year) if date.month_first else (day, month, date.year)
    return " ".join(str(part) for part in parts if part is not None), date.stop


def _write_amount(words: Sequence[str], at: int) -> Found:
    return None if _is_operator(words, at) else read_amount(words, at)


def _write_fraction(words: Sequence[str], at: int) -> Found:
    fraction = read_fraction(words, at)
    if fraction is None or word_at(words, fraction[2]) in ambiguity.PLACES:
        return None
    return f"{fraction[0]}/{fraction[1]}", fraction[2]


def _write_mixed(words: Sequence[str], at: int) -> Found:
    """Only before a unit: ``two and a half men`` are a title."""
    mixed = read_mixed(words, at)
    return (mixed.text, mixed.stop) if mixed and word_at(words, mixed.stop) in _MEASURES else None


def _write_ordinal(words: Sequence[str], at: int) -> Found:
    ordinal = read_ordinal(words, at)
    if ordinal is None:
        return None
    value, stop = ordinal
    before, last, after = word_at(words, at - 1), words[stop - 1], word_at(words, stop)
    if stop == at + 1 and (value < 10 or value >= 100 or (before in ARTICLES and after == "of")):
        return None  # the third time, the hundredth time, a tenth of it
    if last == "second" and (before in ARTICLES or after in ambiguity.SECOND_IS_TIME):
        return None
    ending = "th" if value // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}", stop


def _write_decade(words: Sequence[str], at: int) -> Found:
    decade = read_decade(words, at)
    return (f"{decade[0]}s", decade[1]) if decade else None


def _write_number(words: Sequence[str], at: int) -> Found:
    sign = words[at] in SIGNS
    if sign and _is_operator(words, at):
        return None
    start = at + sign
    number = _read_uncounted(words, start)
    if number is None:
        return None
    measured = word_at(words, number.stop) in _MEASURES
    if words[start] in ARTICLES or words[start] == POINT:
        # "a hundred" and "point" begin more than numbers.
        wanted = measured or (words[start] != POINT and number.stop > start + 2)
    elif number.small and not (sign and (measured or words[at] == "minus")):
        wanted = _small_is_written(words, at, number.stop)
    else:
        wanted = True
    return (f"{'-' if sign else ''}{number.text}", number.stop) if wanted else None


def _read_uncounted(words: Sequence[str], at: int) -> SpokenNumber | None:
    """The number at ``at`` without what belongs to a list or unit: ``one`` of ``one twenty minute timer``."""
    number = read_number(words, at)
    if number is None or POINT in words[at : number.stop]:
        return number
    cardinal = read_cardinal(words, at)
    if cardinal is not None and cardinal[1] == number.stop:
        return number
    if is_numeric(word_at(words, at - 1)):
        return read_number(words[: cardinal[1]], at) if cardinal else number
    if word_at(words, number.stop) in ambiguity.SINGULAR_UNITS:
        last = number.stop - (2 if words[number.stop - 2] in TENS and words[number.stop - 1] in UNITS else 1)
        return read_number(words[:last], at)
    return number


def _small_is_written(words: Sequence[str], at: int, stop: int) -> bool:
    """Whether a number below ten stands for an amount or a name here, as the tables say."""
    before, after, one = word_at(words, at - 1), word_at(words, stop), words[at] == "one"
    if after in _MEASURES:
        return not one or (after not in ambiguity.WORDS_AFTER_ONE and before not in ambiguity.ONE_IS_A_THING)
    if before in ambiguity.LABELS and after not in ("of", "more"):
        return True
    for operator in ambiguity.OPERATORS:
        left, right = at - len(operator), stop + len(operator)
        if tuple(words[stop:right]) == operator and _is_operand(word_at(words, right)):
            return True
        if left > 0 and tuple(words[left:at]) == operator and _is_operand(words[left - 1]):
            return True
    return False


def _is_operand(word: str) -> bool:
    return is_numeric(word) or any(word in words for words in (ORDINALS, REPEATS, OH, SIGNS))


def _is_operator(words: Sequence[str], at: int) -> bool:
    """Whether ``minus`` takes away from a number before it."""
    return words[at] in SIGNS and is_numeric(word_at(words, at - 1))


RULES: dict[str, Callable[[Sequence[str], int], Found]] = {
    "date": _write_date,
    "time": write_time,
    "amount": _write_amount,
    "fraction": _write_fraction,
    "mixed": _write_mixed,
    "ordinal": _write_ordinal,
    "decade": _write_decade,
    "number": _write_number,
    "letters": read_spelled,
}
"""In the order in which they are tried: a date before the numbers in it."""
