"""The README's table of what the decoder promises, each row from the script that measured it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Promise:
    """One row."""

    title: str
    """What is promised."""
    wanted: str
    """What was to be reached."""
    result: str
    """Name of the results that hold the figure."""
    figure: Callable[[Figures], str]
    """Picks and writes it."""


def _word_times(figures: Figures) -> str:
    return " / ".join(f"{figures['librispeech'][f'{at}_median_absolute_ms']} ms" for at in ("start", "end"))


def _calibration(figures: Figures) -> str:
    model = figures["models"]["en-small"]
    return " / ".join(_percent(model[kind]["calibration_error"]) for kind in ("words", "sentences"))


def _rejection(figures: Figures) -> str:
    balanced = figures["models"]["en-small"]["presets"]["balanced"]
    cases = ("librispeech by home.yaml: accepted", "grid: refused", "commands in quiet: refused")
    *kept, noisy = (_percent(balanced[f"{case} of all"]) for case in (*cases, "commands in noise: refused"))
    return f"{' / '.join(kept)}, in noise at 10 dB {noisy}"


def _compiling(figures: Figures) -> str:
    seconds = [found["total_s"] for found in figures["grammars"].values()]
    return f"{min(seconds):.1f} to {max(seconds):.1f} s by format"


def _switching(figures: Figures) -> str:
    return f"{max(found['use_most_ms'] for found in figures['use'].values()):.1f} ms at most"


def _joining(figures: Figures) -> str:
    return " / ".join(
        f"{figures['join'][name]['join_ms']:.0f} ms" for name in ("home_sample", "large_grammar")
    )


def _guessing(figures: Figures) -> str:
    guessing = figures["guessing"]
    return (
        f"{_percent(guessing['word_error'])} / {_percent(guessing['phone_error'])}, "
        f"{guessing['bytes'] / 1e6:.2f} MB"
    )


def _new_words(figures: Figures) -> str:
    without, added = (
        next(found for key, found in figures.items() if key.startswith(start))
        for start in ("without", "added at")
    )
    heard = f"{added['found']} of {added['said']} heard"
    return f"WER {_percent(without['wer'])} to {_percent(added['wer'])}, {heard}"


def _endpoints(figures: Figures) -> str:
    presets = figures["tasks"]["commands"]
    return " / ".join(
        f"{presets[name]['latency_median_s']:.2f} s, {_percent(presets[name]['early_share'])}"
        for name in ("fast", "balanced", "patient")
    )


def _fuzz(figures: Figures) -> str:
    slowest = max(found["cpu_s"] for found in figures["slowest"])
    return (
        f"{figures['grammars']:,}: {len(figures['crashes'])} crashes, slowest {slowest:.1f} s, "
        f"at most {figures['peak_memory_mb']:.0f} MB"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


PROMISES = (
    Promise(
        "word times beside a forced alignment, median error of starts / ends",
        "< 60 ms",
        "word-times",
        _word_times,
    ),
    Promise("expected calibration error, words / sentences", "< 10 %", "confidence", _calibration),
    Promise(
        "read speech that a home grammar accepts / commands refused, of GRID / for home and car, `balanced`",
        "<= 3 % / <= 2 % / <= 2 %",
        "confidence",
        _rejection,
    ),
    Promise(
        "commands in noise end after the last word / cut early: `fast`, `balanced`, `patient`",
        "measure",
        "endpointing",
        _endpoints,
    ),
    Promise("10,000 sentences are read and compiled in", "< 3 s", "grammar-speed", _compiling),
    Promise("a stream changes its grammar in", "< 10 ms", "grammar-speed", _switching),
    Promise(
        "1,000 names join a loaded grammar, a small / a large one", "< 100 ms", "grammar-lists", _joining
    ),
    Promise(
        "pronunciations guessed for held-out words: word / phone error, size",
        "<= 30 % / <= 9 %, <= 1.5 MB",
        "new-words",
        _guessing,
    ),
    Promise(
        "LibriSpeech with its unknown words added, nearly all guessed", "measure", "new-words", _new_words
    ),
    Promise("wild and malformed grammars", "10,000: no crash, no hang", "fuzz-grammars", _fuzz),
)


def promises(results: dict[str, dict[str, Any]]) -> str:
    """The table; rows whose results are missing are left out.

    Parameters
    ----------
    results: name -> content of ``results/NAME.json``.
    """
    lines = ["| promise | wanted | measured | by |", "|---|---|---|---|"]
    lines += [
        f"| {row.title} | {row.wanted} | {row.figure(results[row.result]['figures'])} | "
        f"`{results[row.result]['command']}` at {results[row.result]['commit']} |"
        for row in PROMISES
        if row.result in results
    ]
    return "\n".join(lines) + "\n"
