"""The entries of a run-time list as a network: what joins in the place of ``{contact}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.decoder.grammar.text_file import read_utf8
from edge_asr.decoder.grammar.words import add_phrase
from edge_asr.decoder.network import Placeholder, SlotClose, WordNetwork
from edge_asr.errors import GrammarError

Entries = Iterable[str] | Mapping[str, str | int | float]
"""Texts that are said, each perhaps with the slot's value for it; without one the text is the value."""


class FileEntries(dict[str, str | int | float]):
    """The entries of a file, and where each stands."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.lines: dict[str, int] = {}


def list_network(placeholder: Placeholder, entries: Entries, mistakes: Mistakes | None = None) -> WordNetwork:
    """The network of the entries, each closing the placeholder's slot with its value.

    It has no arcs where there are no entries.

    Parameters
    ----------
    mistakes: takes note of entries that cannot be spoken, which are left out; without it they are raised.

    Raises
    ------
    GrammarError: an entry that cannot be spoken, with its line in the file, or else with its place in the
        list (from 1).
    """
    mistakes = mistakes or Mistakes()
    values = entries if isinstance(entries, Mapping) else {text: text for text in entries}
    lines: Mapping[str, int] = {text: place for place, text in enumerate(values, start=1)}
    network = WordNetwork(placeholder.list)
    if isinstance(entries, FileEntries):
        network, lines = WordNetwork(entries.source), entries.lines
    for text, value in values.items():
        nodes, line = network.nodes, lines[text]
        with mistakes.spare():
            last = network.add_node() if placeholder.slot is not None else network.end
            try:
                add_phrase(network, network.start, last, text, line)
            except GrammarError:
                network.nodes = nodes
                raise
            if placeholder.slot is not None:
                network.add(last, network.end, mark=SlotClose(placeholder.slot, value), line=line)
    return network


def read_entries(path: Path, mistakes: Mistakes | None = None) -> FileEntries:
    """The entries of a text file, one a line; the slot's value may follow a tab.

    Blank lines and lines that begin with ``#`` are skipped. An entry without value is its own value.

    Parameters
    ----------
    mistakes: takes note of a value without words, and of an entry that had another value before: the first
        counts. Without it they are raised.

    Raises
    ------
    GrammarError: the file cannot be read; or such a mistake.
    """
    mistakes = mistakes or Mistakes()
    entries = FileEntries(path.name)
    for line, content in enumerate(read_utf8(path, "the list").splitlines(), start=1):
        if not content.strip() or content.startswith("#"):
            continue
        text, _, value = (part.strip() for part in content.partition("\t"))
        if not text:
            message = f"expected words before the tab, got none for {value!r}"
            mistakes.note(GrammarError(message, source=path.name, line=line))
            continue
        value = value or text
        if entries.get(text, value) != value:
            before = f"{entries[text]!r} in line {entries.lines[text]}"
            message = f"{text!r} has the value {before}, now {value!r}: name it once"
            mistakes.note(GrammarError(message, source=path.name, line=line))
            continue
        entries.setdefault(text, value)
        entries.lines.setdefault(text, line)
    return entries
