"""Each row of the promises is made of figures as the scripts write them."""

from __future__ import annotations

import json

import pytest

from benchmarks.promises import PROMISES, promises
from benchmarks.result import RESULTS


def result(**figures: object) -> dict[str, object]:
    return {"command": "python -m benchmarks.x", "commit": "abc", "machine": "m", "figures": figures}


def test_rows_without_results_are_left_out() -> None:
    times = {"start_median_absolute_ms": 30, "end_median_absolute_ms": 20}
    lines = promises({"word-times": result(librispeech=times)}).splitlines()
    assert len(lines) == 3
    assert lines[2].endswith("| < 60 ms | 30 ms / 20 ms | `python -m benchmarks.x` at abc |")


def test_rates_and_crashes_are_written_out() -> None:
    fuzz = result(grammars=10_000, crashes=[], slowest=[{"cpu_s": 3.25}], peak_memory_mb=501.2)
    words = result(
        guessing={"word_error": 0.271, "phone_error": 0.0603, "bytes": 1_363_103},
        without={"wer": 0.173},
        **{"added at -9.2": {"wer": 0.15, "found": 30, "said": 40}},
    )
    text = promises({"fuzz-grammars": fuzz, "new-words": words})
    assert "10,000: 0 crashes, slowest 3.2 s, at most 501 MB" in text
    assert "| 27.1 % / 6.0 %, 1.36 MB |" in text
    assert "WER 17.3 % to 15.0 %, 30 of 40 heard" in text


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.title[:30])
def test_every_promise_finds_its_figure_in_the_results(promise: object) -> None:
    path = RESULTS / f"{promise.result}.json"  # type: ignore[attr-defined]
    if not path.is_file():
        pytest.skip(f"{path.name} is not measured yet")
    results = {path.stem: json.loads(path.read_text(encoding="utf-8"))}
    assert promise.title in promises(results)  # type: ignore[attr-defined]
