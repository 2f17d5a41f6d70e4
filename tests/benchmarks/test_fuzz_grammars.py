"""A short version of ``python -m benchmarks.fuzz_grammars``."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from benchmarks import fuzz_grammars
from benchmarks.fuzz_grammars import summarise, try_grammars
from benchmarks.wild_grammars import wild_grammar

COUNT = 200


@pytest.mark.timeout(300)
def test_two_hundred_wild_grammars_raise_nothing_but_grammar_errors() -> None:
    figures = summarise(list(try_grammars(range(COUNT))))
    assert figures["crashes"] == []
    assert figures["grammars"] == COUNT
    compiled = sum(count for name, count in figures["outcomes"].items() if name.endswith(": compiled"))
    refused = sum(count for name, count in figures["outcomes"].items() if name.endswith(": refused"))
    assert compiled + refused == COUNT
    assert compiled > 80 and refused > 40, "wild grammars that are all good or all bad try nothing"
    assert figures["with_rejects_and_usable"] > 20
    assert figures["peak_memory_mb"] < 2000


def test_the_same_number_is_the_same_grammar() -> None:
    assert wild_grammar(7) == wild_grammar(7)
    assert len({wild_grammar(number).data for number in range(50)}) > 40
    assert {wild_grammar(number).kind for number in range(200)} == {
        *("valid", "mutated", "truncated", "noise", "recoded", "bomb", "beside"),
    }
    beside = {Path(wild.name).suffix for wild in map(wild_grammar, range(500)) if wild.kind == "beside"}
    assert beside == {".yaml", ".list", ".words", ".arpa"}


def test_what_is_too_slow_or_raises_counts_as_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: object) -> tuple[str, int]:
        while True:
            time.process_time()

    def wrong(*_: object) -> tuple[str, int]:
        raise KeyError("x")

    monkeypatch.setattr(fuzz_grammars, "LIMIT_S", 0.05)
    before = signal.getsignal(signal.SIGPROF)
    monkeypatch.setattr(fuzz_grammars, "_try", endless)
    outcomes = list(try_grammars([3]))
    monkeypatch.setattr(fuzz_grammars, "_try", wrong)
    outcomes += try_grammars([4])
    figures = summarise(outcomes)
    assert [crash["outcome"] for crash in figures["crashes"]] == [
        "TooSlowError: more than 0.05 s",
        "KeyError: 'x'",
    ]
    assert signal.getsignal(signal.SIGPROF) == before
