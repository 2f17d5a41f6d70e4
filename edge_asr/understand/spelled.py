"""Letters spelled one by one become one word: ``b b c`` is BBC."""

from __future__ import annotations

import re
from collections.abc import Sequence

WORDS = frozenset({"a", "i"})
"""Letters that are words too: at either end of a run they count as letters only in the names below."""

NAMES = frozenset(
    {"abc", "ac", "acdc", "aol", "api", "apr", "atm", "cia", "cpa", "dna", "fbi", "fda", "gpa", "ibm", "id"}
    | {"ios", "ip", "iq", "iou", "irs", "mba", "nba", "rna", "usa", "vga"}
)
"""Abbreviations that begin or end with ``a`` or ``i``."""

_LETTER = re.compile(r"[a-z]('s)?")


def read_spelled(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """At least two letters in a row from ``at`` on, the last one perhaps with ``'s``: text and stop."""
    run: list[str] = []
    while at + len(run) < len(words) and _LETTER.fullmatch(words[at + len(run)]):
        run.append(words[at + len(run)])
        if len(run[-1]) > 1:
            break
    while run and run[-1] in WORDS and "".join(run) not in NAMES:
        run.pop()
    name = "".join(run).removesuffix("'s")
    if len(name) < 2 or (name[0] in WORDS and name not in NAMES):
        return None
    return name.upper() + "'s" * run[-1].endswith("'s"), at + len(run)
