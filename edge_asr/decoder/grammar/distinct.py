"""How many different sentences a network accepts, and which of them are written down more than once.

The subset construction over words (M. O. Rabin and D. Scott, "Finite automata and their decision
problems", 1959): each state stands for all nodes that the same words lead to, so every sentence has one
way. Where two lines lead to one node with the same words, they repeat each other from there on.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from edge_asr.decoder.network import WordNetwork

MOST_PLACES = 1_000_000
"""Nodes of all states together; beyond, the search is given up: a network of n nodes may have 2^n states."""

MOST_COUNTED = 10**18
"""Sentences are counted up to here."""

_Way = tuple[int, int]
"""Target node, line."""


@dataclass(kw_only=True)
class Distinct:
    """What is known of the sentences of a network."""

    count: int | float | None
    """Different sentences; ``math.inf`` where a loop leads to the end; MOST_COUNTED + 1 for any more than
    MOST_COUNTED; None where the search was given up."""
    repeated: list[tuple[str, ...]] = field(default_factory=list)
    """Sentences that two lines say, one for each pair of lines."""


def distinct_sentences(network: WordNetwork, *, most_repeated: int = 100) -> Distinct:
    """Count the sentences of ``network`` and find those that are repeated."""
    network = network.trimmed()
    if not network.arcs:
        return Distinct(count=0)
    search = _Search(network, most_repeated)
    complete = search.run()
    return Distinct(count=search.count() if complete else None, repeated=search.repeated())


class _Search:
    def __init__(self, network: WordNetwork, most_repeated: int) -> None:
        self._end = network.end
        self._silent: list[list[_Way]] = [[] for _ in range(network.nodes)]
        self._spoken: list[list[tuple[str, _Way]]] = [[] for _ in range(network.nodes)]
        for arc in network.arcs:
            if arc.word is None:
                self._silent[arc.source].append((arc.target, arc.line))
            else:
                self._spoken[arc.source].append((arc.word, (arc.target, arc.line)))
        self._start = network.start
        self._most_repeated = most_repeated
        self._found: dict[tuple[int, int], tuple[int, str, int]] = {}
        """Pair of lines -> state, and the word and node to which they lead from there both."""
        self._states: dict[frozenset[int], int] = {}
        self._before: list[tuple[int, str]] = []
        """Of each state the one before, and the word between."""
        self._following: list[list[int]] = []
        self._final: list[bool] = []

    def run(self) -> bool:
        """Build all states; False if there are too many."""
        places = 0
        waiting = deque([self._state(frozenset([self._start]), {self._start: 0}, -1, "")])
        while waiting:
            state, nodes = waiting.popleft()
            places += len(nodes)
            if places > MOST_PLACES:
                return False
            reached: dict[str, dict[int, int]] = {}
            for node in nodes:
                for word, (target, line) in self._spoken[node]:
                    lines = reached.setdefault(word, {})
                    first = lines.setdefault(target, line)
                    if first != line:
                        self._meet(first, line, (state, word, target))
            for word, lines in reached.items():
                key = frozenset(lines)
                known = self._states.get(key)
                if known is None:
                    made = self._state(key, lines, state, word)
                    waiting.append(made)
                    known = made[0]
                self._following[state].append(known)
        return True

    def _state(
        self, key: frozenset[int], lines: dict[int, int], before: int, word: str
    ) -> tuple[int, list[int]]:
        """Make the state of these nodes; return it with all nodes that they reach in silence."""
        number = self._states[key] = len(self._before)
        self._before.append((before, word))
        self._following.append([])
        closed = dict(lines)
        waiting = list(closed)
        while waiting:
            node = waiting.pop()
            for target, line in self._silent[node]:
                # Many arcs of silence have no line of their own.
                line = line or closed[node]
                if target not in closed:
                    closed[target] = line
                    waiting.append(target)
                elif closed[target] != line:
                    self._meet(closed[target], line, (before, word, target))
        self._final.append(self._end in closed)
        return number, list(closed)

    def _meet(self, first: int, second: int, where: tuple[int, str, int]) -> None:
        pair = (min(first, second), max(first, second))
        if pair[0] and len(self._found) < self._most_repeated:
            self._found.setdefault(pair, where)

    def count(self) -> int | float:
        order = TopologicalSorter({state: set(following) for state, following in enumerate(self._following)})
        ways = [0] * len(self._following)
        try:
            for state in order.static_order():
                found = self._final[state] + sum(ways[target] for target in self._following[state])
                ways[state] = min(found, MOST_COUNTED + 1)
        except CycleError:
            return math.inf
        return ways[0]

    def repeated(self) -> list[tuple[str, ...]]:
        endings = self._endings() if self._found else {}
        sentences: dict[tuple[str, ...], None] = {}
        for state, last, node in self._found.values():
            words = [last] if last else []
            while state > 0:
                state, word = self._before[state]
                words.append(word)
            words.reverse()
            place = node
            while place != self._end:
                word_after, place = endings[place]
                words += [word_after] if word_after else []
            sentences[tuple(words)] = None
        return list(sentences)

    def _endings(self) -> dict[int, tuple[str, int]]:
        """Of every node the first step, word or silence, of its shortest way to the end."""
        arriving: list[list[tuple[str, int]]] = [[] for _ in self._silent]
        for source, silent in enumerate(self._silent):
            for target, _ in silent:
                arriving[target].append(("", source))
            for word, (target, _) in self._spoken[source]:
                arriving[target].append((word, source))
        steps: dict[int, tuple[str, int]] = {}
        waiting = deque([self._end])
        while waiting:
            node = waiting.popleft()
            for word, source in arriving[node]:
                if source != self._end and source not in steps:
                    steps[source] = (word, node)
                    waiting.append(source)
        return steps
