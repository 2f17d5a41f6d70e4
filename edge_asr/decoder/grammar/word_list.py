"""The entries of a run-time list as a network: what joins in the place of ``{contact}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edge_asr.decoder.grammar.words import add_phrase
from edge_asr.decoder.network import Placeholder, SlotClose, WordNetwork

Entries = Iterable[str] | Mapping[str, str | int | float]
"""Texts that are said, each perhaps with the slot's value for it; without one the words are the value."""


def list_network(placeholder: Placeholder, entries: Entries) -> WordNetwork:
    """The network of the entries, each closing the placeholder's slot with its value.

    It has no arcs where there are no entries.

    Raises
    ------
    GrammarError: an entry that cannot be spoken, with its place in the list (from 1) as its line.
    """
    network = WordNetwork(placeholder.list)
    slot = placeholder.slot
    values = entries if isinstance(entries, Mapping) else dict.fromkeys(entries)
    for line, (text, value) in enumerate(values.items(), start=1):
        last = network.add_node() if slot is not None else network.end
        add_phrase(network, network.start, last, text, line)
        if slot is not None:
            network.add(last, network.end, mark=SlotClose(slot, value), line=line)
    return network
