"""What the README's tables are made of: rows, shares, and where the figures come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---" * len(rows[0]) + "|")
    return lines


def with_notes(rows: Sequence[Sequence[str]], result: dict[str, Any], *notes: str) -> str:
    """A table, a blank line, notes, and the source of the figures."""
    return "\n".join([*table(rows), "", "; ".join([*filter(None, notes), source(result)])]) + "\n"


def source(result: dict[str, Any]) -> str:
    """Command, commit and machine of a result."""
    return f"`{result['command']}` at {result['commit']} on {result['machine']}; one thread."


def percent(share: float) -> str:
    """A share with one decimal."""
    return f"{100 * share:.1f} %"


def few(limit: int | None) -> str:
    """How many of each set were heard; nothing where all were."""
    return f"{limit} utterances of each set" if limit else ""
