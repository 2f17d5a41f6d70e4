"""``python -m benchmarks.render``: writes the figures of ``results/*.json`` into the README's tables.

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``. ``--check`` changes nothing and
fails where the README differs from the results.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.result import RESULTS

README = Path(__file__).parents[1] / "README.md"
_TABLE = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def first_light(result: dict[str, Any]) -> str:
    """The table of ``first-light.json``."""
    figures = result["figures"]
    grid, closed = figures["grid"], figures["closed_choice_librispeech"]
    ours, theirs = grid["edge-asr"], grid["pocketsphinx"]
    free, held = (
        figures["transcribe"]["free, long recording"],
        figures["transcribe"]["grammar, long recording"],
    )
    phones = figures["phone_error_rate"]
    rows = [
        ("closed choice, LibriSpeech dev, right", f"{100 * closed['right']:.1f} %", "-"),
        (
            "GRID commands with their grammar, sentences right",
            f"{100 * ours['sentences_right']:.1f} %",
            f"{100 * theirs['sentences_right']:.1f} %",
        ),
        (
            "GRID, CPU seconds per second of audio",
            f"{ours['cpu_s_per_audio_s']:.3f}",
            f"{theirs['cpu_s_per_audio_s']:.3f}",
        ),
        *(
            (
                f"free text WER, {name} dev{_suffix(group)}",
                f"{100 * wer:.1f} %",
                "-",
            )
            for name, groups in figures["free_text_wer"].items()
            for group, wer in groups.items()
        ),
        *(
            (f"phone error rate, {name} dev, with a phone bigram", f"{100 * per['bigram']:.1f} %", "-")
            for name, per in phones.items()
        ),
        ("real-time factor, free text / grammar", _pair(free, held, "real_time_factor"), "-"),
        ("first result after process start, s", _pair(free, held, "first_result_s"), "-"),
        ("peak memory, MB", _pair(free, held, "peak_memory_mb"), "-"),
    ]
    lines = [f"| {' | '.join(row)} |" for row in (("", figures["model"], "PocketSphinx 5"), *rows)]
    lines.insert(1, "|---|---|---|")
    source = f"`{result['command']}` at {result['commit']} on {result['machine']}; one thread."
    return "\n".join([*lines, "", source]) + "\n"


def _suffix(group: str) -> str:
    return "" if group == "unknown" else f", {group}"


def _pair(free: dict[str, Any], held: dict[str, Any], key: str) -> str:
    return f"{free[key]} / {held[key]}"


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {"first-light": first_light}
"""Name of a result and of its table -> what writes it."""


def render(text: str) -> str:
    """The README with all its tables made anew."""

    def table(match: re.Match[str]) -> str:
        name = match["name"]
        result = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        return match[1] + TABLES[name](result) + match[3]

    return _TABLE.sub(table, text)


def main() -> int:
    """Write or check the README."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="fail if the README is not up to date")
    args = parser.parse_args()
    old = README.read_text(encoding="utf-8")
    new = render(old)
    if args.check:
        return int(old != new)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
