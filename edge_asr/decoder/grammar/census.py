"""Which sentences a network accepts: how many, some of them, all of them in order of length."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from edge_asr.decoder.network import Mark, Path, WordArc, WordNetwork


def count_sentences(network: WordNetwork, *, at_most: int | None = None) -> int | float:
    """Number of ways from start to end; ``math.inf`` where a loop leads to the end.

    Two ways that say the same words count twice. With ``at_most`` counting stops there: a hundred
    thousand optional words have numbers of a hundred thousand digits.
    """
    ways = _ways_to_end(network.trimmed(), at_most)
    return math.inf if ways is None else ways[0]


def enumerate_sentences(network: WordNetwork, limit: int) -> list[str]:
    """The first ``limit`` distinct sentences, those with the fewest words first."""
    found: dict[str, None] = {}
    for path in enumerate_paths(network):
        if len(found) >= limit:
            break
        found.setdefault(sentence(path))
    return list(found)


def enumerate_paths(network: WordNetwork) -> Iterator[Path]:
    """All ways with their marks, those with the fewest words first; endless where there is a loop."""
    network = network.trimmed()
    if not network.arcs:
        return
    leaving = _leaving(network)
    to_end = _words_to_end(network)
    words = 0
    more = True
    while more:
        more = False
        waiting: list[tuple[int, int, tuple[WordArc, ...]]] = [(network.start, words, ())]
        while waiting:
            node, left, way = waiting.pop()
            if node == network.end and left == 0:
                yield path_of(way)
            for arc in reversed(leaving[node]):
                rest = left - (arc.word is not None)
                if to_end[arc.target] <= rest:
                    waiting.append((arc.target, rest, (*way, arc)))
                else:
                    more = True
        words += 1


def random_sentences(network: WordNetwork, n: int, seed: int, *, by_turns: bool = False) -> list[str]:
    """``n`` sentences at random, as ``random_paths`` draws them."""
    return [sentence(path) for path in random_paths(network, n, seed, by_turns=by_turns)]


def random_paths(network: WordNetwork, n: int, seed: int, *, by_turns: bool = False) -> list[Path]:
    """``n`` ways at random: all alike likely, or, where there is a loop, each arc of a node alike likely.

    With ``by_turns`` the latter holds anyway: then a rule with few sentences comes as often as its
    neighbour with a million.

    Raises
    ------
    ValueError: the network accepts nothing.
    """
    network = network.trimmed()
    if not network.arcs:
        raise ValueError(f"{network.name} accepts no sentence")
    rng = random.Random(seed)
    leaving = _leaving(network)
    ways = None if by_turns else _ways_to_end(network)
    return [_draw(network, leaving, ways, rng) for _ in range(n)]


def sentence(path: Path) -> str:
    """The words of a path."""
    return " ".join(word for word, _ in path if word is not None)


def _draw(
    network: WordNetwork, leaving: list[list[WordArc]], ways: list[int] | None, rng: random.Random
) -> Path:
    node = network.start
    way: list[WordArc] = []
    while True:
        arcs = leaving[node]
        stops = int(node == network.end)
        # Exact integers: counts of ways outgrow a float.
        drawn = rng.randrange(stops + (sum(ways[arc.target] for arc in arcs) if ways else len(arcs))) - stops
        if drawn < 0:
            return path_of(tuple(way))
        for arc in arcs:
            drawn -= ways[arc.target] if ways else 1
            if drawn < 0:
                break
        way.append(arc)
        node = arc.target


def path_of(way: tuple[WordArc, ...]) -> Path:
    """The words and marks of arcs in a row."""
    path: list[tuple[str | None, tuple[Mark, ...]]] = []
    marks: list[Mark] = []
    for arc in way:
        # Of an arc with both, the mark belongs before the word.
        if arc.mark is not None:
            marks.append(arc.mark)
        if arc.word is not None:
            path.append((arc.word, tuple(marks)))
            marks = []
    return [*path, (None, tuple(marks))]


def _leaving(network: WordNetwork) -> list[list[WordArc]]:
    leaving: list[list[WordArc]] = [[] for _ in range(network.nodes)]
    for arc in network.arcs:
        leaving[arc.source].append(arc)
    return leaving


def _ways_to_end(network: WordNetwork, at_most: int | None = None) -> list[int] | None:
    """For every node of a trimmed network the number of ways to the end; None where there is a loop."""
    leaving = _leaving(network)
    sorter = TopologicalSorter({n: {arc.target for arc in leaving[n]} for n in range(network.nodes)})
    ways = [0] * network.nodes
    try:
        for node in sorter.static_order():
            ways[node] = (node == network.end) + sum(ways[arc.target] for arc in leaving[node])
            if at_most is not None:
                ways[node] = min(ways[node], at_most)
    except CycleError:
        return None
    return ways


def _words_to_end(network: WordNetwork) -> list[float]:
    """For every node the fewest words to the end."""
    arriving: list[list[WordArc]] = [[] for _ in range(network.nodes)]
    for arc in network.arcs:
        arriving[arc.target].append(arc)
    distance = [math.inf] * network.nodes
    distance[network.end] = 0
    waiting = deque([network.end])
    while waiting:
        node = waiting.popleft()
        for arc in arriving[node]:
            words = distance[node] + (arc.word is not None)
            if words < distance[arc.source]:
                distance[arc.source] = words
                waiting.append(arc.source)
    return distance
