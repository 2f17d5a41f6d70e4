"""Numbers for token sequences: the same sequence has the same number as long as it matters."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from edge_asr.arrays import Int64Array

ROOT = 0
"""Number of the empty sequence."""


class PrefixTree:
    """A node is a sequence; its child is the same with one token more and has a higher number.

    Parameters
    ----------
    tokens: size of the alphabet.
    """

    def __init__(self, tokens: int) -> None:
        self._width = tokens
        self._numbers: dict[int, int] = {}  # parent * width + token -> child
        self._next = ROOT + 1

    def __len__(self) -> int:
        """Nodes remembered."""
        return len(self._numbers)

    def children(self, parents: Int64Array, tokens: Int64Array) -> Int64Array:
        """(n,) the nodes that lengthen ``parents`` by ``tokens``; new ones where there were none."""
        found = np.empty(parents.size, dtype=np.int64)
        for index, key in enumerate((parents * self._width + tokens).tolist()):
            number = self._numbers.setdefault(key, self._next)
            self._next += number == self._next
            found[index] = number
        return found

    def keep(self, nodes: Int64Array) -> None:
        """Forget all that neither is one of ``nodes`` nor lies between them.

        What only leads to all of them is forgotten too: none of them can be reached anew from there.
        """
        alive = set(nodes.tolist())
        keys = {number: key for key, number in self._numbers.items()}
        kept: dict[int, int] = {}
        for node in alive:
            while node in keys and node not in kept:
                kept[node] = keys[node]
                node = keys[node] // self._width
        children = defaultdict(list)
        for node, key in kept.items():
            children[key // self._width].append(node)
        if kept:
            stem = kept[min(kept)] // self._width
            while stem not in alive and len(children[stem]) == 1:
                [stem] = children[stem]
                del kept[stem]
        self._numbers = {key: number for number, key in kept.items()}
