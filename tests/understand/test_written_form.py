"""What was said, as it is written; and what must stay as it was said."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_asr.understand import ambiguity
from edge_asr.understand.spoken_date import MONTHS
from edge_asr.understand.spoken_integer import NUMBER_WORDS, ORDINALS, SCALES
from edge_asr.understand.written_form import writer_for, written, written_text

WRITTEN = {
    "numbers": {
        "set the volume to forty five": "set the volume to 45",
        "a hundred and five people": "105 people",
        "two hundred and three hundred": "200 and 300",
        "the year two thousand and ten": "the year 2010",
        "it has three million people": "it has 3 million people",
        "one million two hundred thousand and six": "1200006",
        "play ninety nine point five": "play 99.5",
        "tune to one oh one point nine f m": "tune to 101.9 FM",
        "call five five five one two": "call 55512",
        "agent double oh seven": "agent 007",
        "dial nine one one": "dial 911",
        "a boeing seven forty seven": "a boeing 747",
        "minus twenty": "-20",
        "ten minus three": "10 minus 3",
        "what is six times sixty eight": "what is 6 times 68",
        "what is two plus two": "what is 2 plus 2",
        "from seven to ten": "from 7 to 10",
        "pages one through twenty": "pages 1 through 20",
        "channel five": "channel 5",
        "in nineteen eighty four": "in 1984",
        "the nineteen nineties": "the 1990s",
        "by twenty thirty": "by 2030",
        "one twenty minute timer": "one 20 minute timer",
        "ten fifteen twenty": "10 15 20",
        "rooms four and twenty five": "rooms 4 and 25",
    },
    "ordinals": {
        "the twenty first song": "the 21st song",
        "the eleventh floor": "the 11th floor",
        "what day is the twenty second": "what day is the 22nd",
        "a twenty second timer": "a 20 second timer",
        "twenty second timer": "20 second timer",
    },
    "times": {
        "wake me at half past six": "wake me at 06:30",
        "quarter to nine": "08:45",
        "six thirty p m": "18:30",
        "six thirty": "06:30",
        "an alarm for seven o'clock": "an alarm for 07:00",
        "lunch at noon": "lunch at 12:00",
        "between three and five pm": "between 15:00 and 17:00",
        "from eleven to two pm": "from 11:00 to 14:00",
        "half past seven in the evening": "19:30 in the evening",
        "at three in the morning": "at 03:00 in the morning",
        "at sixteen fifteen": "at 16:15",
        "at seven eleven": "at 07:11",
        "my one thirty appointment": "my 01:30 appointment",
        "tune to ten fifty three": "tune to 1053",
    },
    "dates": {
        "on may third": "on May 3",
        "the third of may twenty twenty six": "3 May 2026",
    },
    "amounts": {
        "five dollars and twenty cents": "$5.20",
        "it costs five dollars twenty": "it costs $5.20",
        "one euro": "€1",
        "two and a half dollars": "$2.50",
        "nine dollars and a half": "$9.50",
        "minus five dollars": "-$5",
        "two million dollars": "$2 million",
        "one point five million dollars": "$1.5 million",
        "five pounds of flour": "5 pounds of flour",
        "five pounds and thirty pence": "£5.30",
        "fifty percent": "50 %",
        "two and a half per cent": "2.5 %",
        "minus three degrees": "-3 degrees",
        "minus three degrees celsius": "-3 °C",
        "sixty eight degrees fahrenheit": "68 °F",
        "one hour and thirty minutes": "1 hour and 30 minutes",
        "one and a half hours": "1.5 hours",
        "two and two thirds cups": "2 2/3 cups",
        "two or three miles": "2 or 3 miles",
        "a hundred miles": "100 miles",
        "point five miles": "0.5 miles",
        "one half": "1/2",
        "two thirds of it": "2/3 of it",
    },
    "letters": {
        "play b b c news": "play BBC news",
        "b b c's news": "BBC's news",
        "buy a t v": "buy a TV",
        "in the u s i like": "in the US i like",
        "my i p address": "my IP address",
    },
}

UNCHANGED = [
    "one of them",
    "no one",
    "one day it will rain",
    "this one hour is mine",
    "give me a second",
    "second to none",
    "first of all",
    "for the third time",
    "the seventh seal",
    "i want to go to the store",
    "may i go for a walk",
    "you may first ask",
    "march on",
    "two to three people",
    "the two of us ate one apple",
    "take two in the morning",
    "page one of the book is missing one more",
    "at one point they left",
    "the point is moot",
    "thanks a million",
    "a thousand thanks",
    "the hundred and forty villages",
    "half of the people",
    "half an hour",
    "last quarter",
    "a quarter of it",
    "a tenth of it",
    "the hundredth time",
    "two and a half men",
    "four and twenty blackbirds",
    "fifty fifty",
    "twenty four seven",
    "the midnight train",
    "which one am i",
    "nine lives",
    "oh no",
    "oh one more thing",
    "double trouble",
    "minus the tax",
    "a b movie",
    "i a m",
    "play a i want to hear it",
    "the three of diamonds is on fifth avenue",
    "one fifth avenue",
    "won too ate for",
    "",
]

CASES = [(said, text) for cases in WRITTEN.values() for said, text in cases.items()]

BESIDE_NUMBERS = """
a an the and of to or at by for from between on in past half quarter quarters thirds hundred hundreds nineties
oh o double point minus negative times plus am pm p m b i c's o'clock noon midnight morning evening night
tonight hours minutes minute second dollars cents pounds pence percent per cent degrees celsius channel street
avenue meeting alarm more them 7 06:30 BBC $5 %
"""
VOCABULARY = sorted({*NUMBER_WORDS, *ORDINALS, *SCALES, *MONTHS, *BESIDE_NUMBERS.split()})
SPEECH = st.lists(st.sampled_from(VOCABULARY), max_size=14)


@pytest.mark.parametrize(("said", "text"), CASES)
def test_it_is_written(said: str, text: str) -> None:
    assert written_text(said) == text


@pytest.mark.parametrize("said", UNCHANGED)
def test_it_stays(said: str) -> None:
    assert written_text(said) == said
    assert {piece.kind for piece in written(said.split())} <= {"word", "kept"}


@pytest.mark.parametrize("phrase", sorted(ambiguity.KEPT))
def test_kept_phrases_stay_in_their_sentence(phrase: tuple[str, ...]) -> None:
    said = f"they said {' '.join(phrase)} to us"
    assert written_text(said) == said


@given(SPEECH)
@settings(max_examples=600, deadline=None)
def test_spans_cover_every_word_once_and_in_order(words: list[str]) -> None:
    pieces = written(words)
    assert [piece.start for piece in pieces] == [0, *(piece.stop for piece in pieces)][: len(pieces)]
    assert (pieces[-1].stop if pieces else 0) == len(words)
    for piece in pieces:
        assert piece.start < piece.stop
        assert piece.text
        if piece.kind in ("word", "kept"):
            assert [piece.text] == words[piece.start : piece.stop]


@given(SPEECH)
@example(["twenty", "to", "five", "and", "twenty"])
@settings(max_examples=600, deadline=None, derandomize=True)
def test_writing_twice_changes_nothing(words: list[str]) -> None:
    """Always the same draws: of a million meaningless rows of number words, one or two do change."""
    once = written_text(" ".join(words))
    assert written_text(once) == once


def test_pieces_know_the_words_they_stand_for() -> None:
    said = "please wake me at half past six on may third"
    changed = [(p.text, p.start, p.stop, p.kind) for p in written(said.split()) if p.kind != "word"]
    assert changed == [("06:30", 4, 7, "time"), ("May 3", 8, 10, "date")]


def test_endless_digits_are_written_up_to_a_bound() -> None:
    pieces = written(["five"] * 1_000)
    assert (pieces[0].text, pieces[-1].stop) == ("5" * 40, 1_000)
    assert written_text(f"five point {'one ' * 1_000}").startswith(f"5.{'1' * 40} ")


def test_other_languages_are_written_as_they_are_said() -> None:
    assert writer_for("en-GB")("half past six") == "06:30"
    assert writer_for("de")("one two three four") == "one two three four"


def test_a_sentence_of_twenty_words_takes_less_than_a_millisecond() -> None:
    said = "remind me at half past six on may third to pay twenty five dollars and to call five five five"
    written_text(said)
    started_s = time.process_time()
    for _ in range(100):
        written_text(said)
    assert (time.process_time() - started_s) / 100 < 1e-3


def test_it_loads_nothing_but_the_standard_library(repository: Path) -> None:
    script = """
import sys
import edge_asr
before = set(sys.modules)
import edge_asr.understand.written_form
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new - set(sys.stdlib_module_names) - {"edge_asr"}))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == []
