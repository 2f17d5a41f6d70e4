"""Reading YAML although a list item is no YAML: the item is left out.

The usual one is a sentence that begins with a bracket and has no quotes around it.
"""

from __future__ import annotations

import re

from edge_asr.decoder.grammar.located_yaml import Value
from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.text_file import MAX_BYTES
from edge_asr.decoder.grammar.yaml_parser import parse_yaml
from edge_asr.errors import GrammarError, GrammarSizeError

_MOST_ITEMS = 50
"""Items left out at the most: each costs another reading of the file."""
_ITEM = re.compile(r"( *)- ")
_QUOTED_ITEM = re.compile(r' *- (?:\w+: *)?"')
_FARTHEST = 200
"""Lines between a quotation mark that is not closed and the next one, where it shows."""


def parse_mended(text: str, source: str, mistakes: Mistakes) -> Value:
    """The document without the items that break it, each of which is noted.

    Raises
    ------
    GrammarError: the first mistake, where leaving out items does not help or nothing may be left out.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not mistakes.tolerant:
        return parse_yaml(text, source, mistakes)
    first: GrammarError | None = None
    lines = text.split("\n")
    left = min(_MOST_ITEMS, MAX_BYTES // (len(text) + 1))
    while True:
        repeated: list[Reject] = []
        try:
            value = parse_yaml("\n".join(lines), source, Mistakes(repeated))
        except GrammarSizeError:
            raise
        except GrammarError as error:
            first = first or error
            culprit = _culprit(lines, error.line)
            if culprit is None or left == 0:
                raise first from None
            left -= 1
            hint = "" if '"' in lines[culprit] else ": put the text in quotes"
            mistakes.note(GrammarError(f"{error.message}{hint}", source=source, line=culprit + 1))
            _blank(lines, culprit)
            continue
        for reject in repeated:
            mistakes.note(GrammarError(reject.message, source=reject.source, line=reject.line))
        return value


def _culprit(lines: list[str], line: int | None) -> int | None:
    """Index of the line whose item is probably to blame for a mistake that shows in ``line``."""
    at = min(line or 0, len(lines)) - 1
    if at < 0:
        return None
    for index in range(at, max(at - _FARTHEST, -1), -1):
        # Quotes that were not closed show where the next ones open.
        if _QUOTED_ITEM.match(lines[index]) and lines[index].count('"') % 2:
            return index
    indent = len(lines[at]) - len(lines[at].lstrip(" "))
    for index in range(at, -1, -1):
        item = _ITEM.match(lines[index])
        if item and (index == at or len(item[1]) < indent):
            return index
        if lines[index].strip() and not lines[index].startswith(" ") and index < at:
            return None
    return None


def _blank(lines: list[str], index: int) -> None:
    """Empty the item and what is indented below it."""
    item = _ITEM.match(lines[index])
    assert item is not None
    indent = len(item[1])
    lines[index] = ""
    for below in range(index + 1, len(lines)):
        line = lines[below]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            return
        lines[below] = ""
