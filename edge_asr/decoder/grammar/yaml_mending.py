"""Reading YAML although a part of it is no YAML: that part is left out.

The usual one is a sentence that begins with a bracket and has no quotes around it. Where no list item is
to blame it is the entry of a top-level mapping, such as an intent or a list.
"""

from __future__ import annotations

import re

from edge_asr.decoder.grammar.located_yaml import Value
from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.text_file import MAX_BYTES
from edge_asr.decoder.grammar.yaml_parser import parse_yaml
from edge_asr.errors import GrammarError, GrammarSizeError

_MOST_PARTS = 50
"""Parts left out at the most: each costs another reading of the file."""
_ITEM = re.compile(r"( *)- ")
_QUOTED_ITEM = re.compile(r' *- (?:\w+: *)?"')
_FARTHEST = 200
"""Lines between a quotation mark that is not closed and the next one, where it shows."""


def parse_mended(text: str, source: str, mistakes: Mistakes) -> Value:
    """The document without the parts that break it, each of which is noted.

    Raises
    ------
    GrammarError: the first mistake, where leaving out parts does not help or nothing may be left out.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not mistakes.tolerant:
        return parse_yaml(text, source, mistakes)
    first: GrammarError | None = None
    notes: list[GrammarError] = []
    lines = text.split("\n")
    before: list[str] = []
    shown = 0
    left = min(_MOST_PARTS, MAX_BYTES // (len(text) + 1))
    while True:
        repeated: list[Reject] = []
        try:
            value = parse_yaml("\n".join(lines), source, Mistakes(repeated))
        except GrammarSizeError:
            raise
        except GrammarError as error:
            first = first or error
            # Many a mistake shows only where the next part begins; if not, it will show there again.
            again = error.line == shown
            if again:
                lines = before
                notes.pop()
            shown = 0 if again else error.line or 0
            culprit = _item(lines, error.line)
            if culprit is None:
                culprit = _entry(lines, (error.line or 0) - (not again))
            if culprit is None or left == 0:
                raise first from None
            left -= 1
            message = error.message
            if culprit + 1 != error.line:
                message = f"what begins here is left out for a mistake in line {error.line}: {message}"
            elif _ITEM.match(lines[culprit]) and '"' not in lines[culprit]:
                message = f"{message}: put the text in quotes"
            notes.append(GrammarError(message, source=source, line=culprit + 1))
            before = list(lines)
            _blank(lines, culprit)
        else:
            for reject in repeated:
                notes.append(GrammarError(reject.message, source=reject.source, line=reject.line))
            for note in notes:
                mistakes.note(note)
            return value


def _item(lines: list[str], line: int | None) -> int | None:
    """Index of the line whose list item is probably to blame for a mistake that shows in ``line``."""
    at = min(line or 0, len(lines)) - 1
    if at < 0:
        return None
    for index in range(at, max(at - _FARTHEST, -1), -1):
        # Quotes that were not closed show where the next ones open.
        if _QUOTED_ITEM.match(lines[index]) and lines[index].count('"') % 2:
            return index
    indent = _indent(lines[at])
    for index in range(at, -1, -1):
        item = _ITEM.match(lines[index])
        if item and (index == at or len(item[1]) < indent):
            return index
        if lines[index].strip() and not _indent(lines[index]):
            return None
    return None


def _entry(lines: list[str], line: int | None) -> int | None:
    """Index of the line that begins the outermost indented part around ``line``."""
    found = None
    for index in range(min(line or 0, len(lines)) - 1, -1, -1):
        if not lines[index].strip() or lines[index].lstrip().startswith("#"):
            continue
        indent = _indent(lines[index])
        if not indent:
            break
        if found is None or indent < _indent(lines[found]):
            found = index
    return found


def _blank(lines: list[str], index: int) -> None:
    """Empty this line and what is indented below it."""
    indent = _indent(lines[index])
    lines[index] = ""
    for below in range(index + 1, len(lines)):
        if lines[below].strip() and _indent(lines[below]) <= indent:
            return
        lines[below] = ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
