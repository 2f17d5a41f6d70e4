from __future__ import annotations

import pytest

from benchmarks.grammar_lists import GRAMMARS, best_ms, joining, opening
from edge_asr.decoder.grammar.home_assistant import read_home_file
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.recognizer import Recognizer


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load("en-tiny")


def test_home_has_ten_areas_and_forty_entities() -> None:
    home = read_home_file(GRAMMARS / "home-of-40.yaml")
    assert (len(home.areas), len(home.entities)) == (10, 40)


def test_joining_measures_both_ways(recognizer: Recognizer) -> None:
    call = parse_jsgf("#JSGF V1.0; grammar c; public <c> = call <lists.contact>{who};")
    figures = joining(recognizer, [call], ["ann smith", "bob"], repeats=1)
    assert 0 < figures["join_ms"] < 10_000
    assert 0 < figures["from_scratch_ms"] < 10_000
    assert figures["states"] > 20


def test_open_slot_is_measured_in_its_parts(recognizer: Recognizer) -> None:
    figures = opening(recognizer, repeats=1)
    assert figures["grammar_of_two_slots"]["states"] > figures["one_slot"]["states"]


def test_least_time_and_the_last_made() -> None:
    made = iter(range(5))
    least_ms, last = best_ms(lambda: next(made), 3)
    assert last == 2
    assert 0 <= least_ms < 1000
