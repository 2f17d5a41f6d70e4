"""The numbers of a range as a small network: ways that go on alike share their nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from edge_asr.decoder.grammar.numbers import Words, spell_decimal
from edge_asr.decoder.network import WordNetwork

CONVERT = "signed_decimal"
"""The converter that reads every number that can be spelled here."""


@lru_cache(maxsize=64)
def spelled_network(numbers: tuple[str, ...]) -> WordNetwork:
    """All ways to say the numbers, which are written in digits. Shared: not to be changed.

    Raises
    ------
    ValueError: a number too large to be spelled.
    """
    return minimal_network([words for number in numbers for words in spell_decimal(number)])


def minimal_network(sentences: Iterable[Words]) -> WordNetwork:
    """The smallest network that accepts exactly these sentences, each of at least one word."""
    tree: _Tree = {}
    for words in sentences:
        node = tree
        for word in words:
            node = node.setdefault(word, {})
        node[_END] = {}
    network = WordNetwork("")
    _place(tree, network, {}, at=network.start)
    return network


_Tree = dict[str, "_Tree"]
_END = ""


def _place(
    tree: _Tree, network: WordNetwork, known: dict[Sequence[tuple[str, int]], int], *, at: int | None = None
) -> int:
    """Put what may follow a beginning into the network once; return its node."""
    following = tuple(
        (word, network.end if word == _END else _place(rest, network, known)) for word, rest in tree.items()
    )
    if following == ((_END, network.end),) and at is None:
        return network.end
    if following not in known or at is not None:
        node = known[following] = network.add_node() if at is None else at
        for word, target in following:
            network.add(node, target, word or None)
    return known[following]
