"""Every time of day comes back from the ways in which people say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import time

import pytest

from edge_asr.understand.spoken_time import read_clock, time_of
from edge_asr.understand.written_form import written_text

Say = Callable[..., list[str]]


def ways_to_say(moment: time, say: Say) -> Iterator[str]:
    """Forms that leave no doubt which time of the day is meant."""
    hour, minute = moment.hour, moment.minute
    half = "p m" if hour >= 12 else "a m"
    part = "in the afternoon" if hour >= 12 else "in the morning"
    face, following = " ".join(say(hour % 12 or 12)), " ".join(say((hour + 1) % 12 or 12))
    zero = "oh " if hour < 10 else ""
    if minute == 0:
        yield f"{face} {half}"
        yield f"{face} {half.replace(' ', '')}"
        yield f"{face} o'clock {half}"
        yield f"{face} o'clock {part}"
        if hour:
            yield f"{zero}{' '.join(say(hour))} hundred hours"
        return
    spoken = " ".join(say(minute))
    minutes = f"oh {spoken}" if minute < 10 else spoken
    unit = "minute" if minute == 1 else "minutes"
    yield f"{face} {minutes} {half}"
    yield f"{face} {minutes} {half.replace(' ', '')}"
    yield f"{face} {minutes} {part}"
    yield f"{spoken} past {face} {half}"
    yield f"{spoken} {unit} past {face} {part}"
    if hour:
        yield f"{zero}{' '.join(say(hour))} {minutes} hours"
    if hour % 12 != 11:  # before twelve, a.m. and p.m. change with the hour that is named
        yield f"{' '.join(say(60 - minute))} {'minute' if minute == 59 else 'minutes'} to {following} {half}"
    if minute == 30:
        yield f"half past {face} {half}"
    if minute == 15:
        yield f"a quarter past {face} {part}"
    if minute == 45 and hour % 12 != 11:
        yield f"quarter to {following} {half}"


MINUTES = [time(hour, minute) for hour in range(24) for minute in range(60)]


def test_every_time_of_day_comes_back(say: Say) -> None:
    for moment in MINUTES:
        forms = list(ways_to_say(moment, say))
        assert len(forms) >= 4
        for form in forms:
            assert time_of(form.split()) == moment, form


def test_every_time_of_day_is_written_in_its_sentence(say: Say) -> None:
    for moment in MINUTES:
        for form in ways_to_say(moment, say):
            written = written_text(f"wake me at {form} please").split()
            assert written[:3] == ["wake", "me", "at"], form
            assert written[3] == f"{moment:%H:%M}", form
            assert written[-1] == "please"
            # Only a part of day stays beside the time.
            assert len(written) == 5 or form.endswith(" ".join(written[4:-1])), form


def test_every_time_of_the_clock_face_is_written_after_at(say: Say) -> None:
    for hour in range(1, 13):
        for minute in range(1, 60):
            spoken = " ".join([*say(hour), *(["oh"] if minute < 10 else []), *say(minute)])
            assert written_text(f"set an alarm for {spoken}") == f"set an alarm for {hour:02d}:{minute:02d}"
            assert time_of(spoken.split()) == time(hour, minute)


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("half past six", time(6, 30)),
        ("quarter to nine", time(8, 45)),
        ("quarter to one", time(12, 45)),
        ("half past twelve", time(12, 30)),
        ("seven o'clock", time(7)),
        ("half past six o'clock", time(6, 30)),
        ("noon", time(12)),
        ("twelve noon", time(12)),
        ("midnight", time(0)),
        ("ten to midnight", time(23, 50)),
        ("half past midnight", time(0, 30)),
        ("twelve a m", time(0)),
        ("twelve p m", time(12)),
        ("nine at night", time(21)),
        ("two at night", time(2)),
        ("eight tonight", time(20)),
        ("half past six tomorrow evening", time(18, 30)),
        ("eight hundred and thirty am", time(8, 30)),
        ("one thousand two hundred pm", time(12)),
        ("oh six hundred", time(6)),
        ("twenty fifteen", time(20, 15)),
        ("ten to six", time(5, 50)),
        ("six", time(6)),
    ],
)
def test_ways_to_say_a_time(words: str, moment: time) -> None:
    assert time_of(words.split()) == moment


NO_TIMES = (
    "",
    "half",
    "half past",
    "past six",
    "six sixty",
    "thirteen",
    "o'clock",
    "am",
    "to six",
    "noon noon",
)
PERHAPS_NUMBERS = ("six thirty", "ten to six", "two hundred hours", "which one am i", "three")


@pytest.mark.parametrize("words", NO_TIMES)
def test_what_is_no_time_is_none(words: str) -> None:
    assert time_of(words.split()) is None


@pytest.mark.parametrize("words", PERHAPS_NUMBERS)
def test_what_may_be_a_number_is_no_sure_time(words: str) -> None:
    assert not any(read_clock(words.split(), at) for at in range(len(words.split())))
