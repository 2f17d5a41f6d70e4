"""Slots that every grammar can use without spelling them out: numbers, times, dates, durations, letters.

A built-in is called ``edge_asr.NAME``: ``import <edge_asr.time>;`` and then ``<time>{at}`` in JSGF,
``{edge_asr.time:at}`` in a sentence template, or a list of its own::

    lists:
      alarm: {builtin: time}

What was said becomes a value by the converter of the same name (``edge_asr/understand/values.py``).
Words that a model's lexicon lacks are left out.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from edge_asr.decoder import network
from edge_asr.decoder.network import Placeholder, WordNetwork

NAMESPACE = "edge_asr"
LISTS = "lists"
"""JSGF's name for where run-time lists come from: ``import <lists.contact>;``."""

BUILTINS = {
    "number": "edge_asr.decoder.grammar.builtin.number:number",
    "signed_number": "edge_asr.decoder.grammar.builtin.number:signed_number",
    "decimal": "edge_asr.decoder.grammar.builtin.number:decimal",
    "signed_decimal": "edge_asr.decoder.grammar.builtin.number:signed_decimal",
    "ordinal": "edge_asr.decoder.grammar.builtin.number:ordinal",
    "digits": "edge_asr.decoder.grammar.builtin.number:digits",
    "time": "edge_asr.decoder.grammar.builtin.clock:time",
    "date": "edge_asr.decoder.grammar.builtin.date:date",
    "duration": "edge_asr.decoder.grammar.builtin.duration:duration",
    "spelling": "edge_asr.decoder.grammar.builtin.spelling:spelling",
}
"""Name -> function without arguments that makes the network, once."""

ANYTHING = network.ANYTHING.list.removeprefix(f"{NAMESPACE}.")
"""The open slot's name; its words join when a grammar is compiled."""


def known_builtins() -> tuple[str, ...]:
    """All names that may follow ``edge_asr.``."""
    return (*BUILTINS, ANYTHING)


@cache
def builtin_network(name: str) -> WordNetwork:
    """The words of a built-in, between start and end. Shared: not to be changed.

    Raises
    ------
    KeyError: there is none of that name.
    """
    if name == ANYTHING:
        return placeholder_network(network.ANYTHING)
    module, _, function = BUILTINS[name].partition(":")
    made: WordNetwork = getattr(import_module(module), function)()
    return made


def converter(name: str) -> str:
    """What makes the value of a slot that holds the built-in and nothing else; empty: the words are it."""
    return name if name in BUILTINS else ""


def placeholder_network(placeholder: Placeholder) -> WordNetwork:
    """A place for words that join later, as a network of one word."""
    made = WordNetwork(placeholder)
    made.add(made.start, made.end, placeholder)
    return made
