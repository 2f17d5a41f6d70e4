"""The entries of a run-time list as a network: what joins in the place of ``{contact}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_asr.decoder.grammar.text_file import read_utf8
from edge_asr.decoder.grammar.words import add_phrase
from edge_asr.decoder.network import Placeholder, SlotClose, WordNetwork

Entries = Iterable[str] | Mapping[str, str | int | float]
"""Texts that are said, each perhaps with the slot's value for it; without one the text is the value."""


def list_network(placeholder: Placeholder, entries: Entries) -> WordNetwork:
    """The network of the entries, each closing the placeholder's slot with its value.

    It has no arcs where there are no entries.

    Raises
    ------
    GrammarError: an entry that cannot be spoken, with its place in the list (from 1) as its line.
    """
    network = WordNetwork(placeholder.list)
    slot = placeholder.slot
    values = entries if isinstance(entries, Mapping) else {text: text for text in entries}
    for line, (text, value) in enumerate(values.items(), start=1):
        last = network.add_node() if slot is not None else network.end
        add_phrase(network, network.start, last, text, line)
        if slot is not None:
            network.add(last, network.end, mark=SlotClose(slot, value), line=line)
    return network


def read_entries(path: Path) -> dict[str, str | int | float]:
    """The entries of a text file, one a line; the slot's value may follow a tab.

    Blank lines and lines that begin with ``#`` are skipped. An entry without value is its own value.

    Raises
    ------
    GrammarError: the file cannot be read.
    """
    entries: dict[str, str | int | float] = {}
    for line in read_utf8(path).splitlines():
        text, _, value = line.partition("\t")
        if text.strip() and not text.startswith("#"):
            entries[text.strip()] = value.strip() or text.strip()
    return entries
