"""Sentences of a grammar that sound the same and differ in words or in meaning.

Two walkers leave the start of the word graph together and hear the same phones. Where the graph lets
them part they go on as a pair, and where both can end a sentence, or meet again, two sentences have been
found that no recognizer can tell apart. Pairs are few where the grammar is sane, at most all pairs of
places in it otherwise, and MOST_PAIRS bounds them. Breadth first, so the shortest examples come first.
(The product of an automaton with itself; C. Allauzen, M. Mohri and A. Rastogi, "General algorithms for
testing the ambiguity of finite automata", 2008.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from edge_asr.decoder.graph import Ending, Output
from edge_asr.decoder.lexicon import Pronunciation
from edge_asr.decoder.network import Mark, Path
from edge_asr.decoder.wordgraph import WordGraph

MOST_PAIRS = 500_000
"""Pairs of places that are looked at, some of them again and again."""


class Sounding(NamedTuple):
    """Two paths through the grammar that sound the same."""

    first: Path
    second: Path
    networks: tuple[str, str]
    """Which grammar each belongs to."""


class _Place(NamedTuple):
    """Within the words that leave ``node``; ``inside`` numbers the phones heard of them, 0 is none yet."""

    node: int
    inside: int


class _Step(NamedTuple):
    """Where one phone leads, and the word that it ends, if it ends one."""

    place: _Place
    output: int | None


class _Pair(NamedTuple):
    first: _Place
    second: _Place
    words_differ: bool
    marks_differ: bool


class _Origin(NamedTuple):
    """How a pair came about: from an earlier pair, or from a node where both still were one."""

    before: _Pair | int
    first: int | None
    second: int | None


@dataclass
class _Trie:
    """Pronunciations of the words that leave one node."""

    children: list[dict[int, int]] = field(default_factory=lambda: [{}])
    words: list[list[tuple[int, int]]] = field(default_factory=lambda: [[]])
    """Output and target node of the words that are complete here."""


class Ambiguities:
    """A search for sentences that sound the same.

    Parameters
    ----------
    graph: joined grammars, as they are compiled.
    said: pronunciations of every word in it.
    """

    def __init__(self, graph: WordGraph, said: Mapping[str, Sequence[Pronunciation]]) -> None:
        self._graph = graph
        self._said = said
        self._tries: dict[int, _Trie] = {}
        self._origins: dict[_Pair, _Origin] = {}
        self._waiting: deque[_Pair] = deque()
        self._endings = self._ways_out()
        self._looked = 0
        self.cut_short = False
        """Were there more pairs than could be looked at?"""

    def __iter__(self) -> Iterator[Sounding]:
        """Every pair of ways that part and then meet again or end, the shortest first."""
        reached = self._ways_in()
        for node in reached:
            yield from self._part(node, reached)
        while self._waiting and not self.cut_short:
            pair = self._waiting.popleft()
            for phone in self._trie(pair.first.node).children[pair.first.inside]:
                for first in self._steps(pair.first, phone):
                    for second in self._steps(pair.second, phone):
                        origin = _Origin(pair, first.output, second.output)
                        yield from self._follow(first, second, origin, reached)

    def _ways_in(self) -> dict[int, tuple[int, int] | None]:
        """Every node with the node before it and the output between, on a shortest way; breadth first."""
        reached: dict[int, tuple[int, int] | None] = {self._graph.start: None}
        waiting = deque(reached)
        while waiting:
            node = waiting.popleft()
            for output, _, target in self._graph.steps[node]:
                if target not in reached:
                    reached[target] = (node, output)
                    waiting.append(target)
        return reached

    def _ways_out(self) -> dict[int, tuple[int, int]]:
        """Of every node that ends no sentence the output and node of a shortest way to one that does."""
        arriving: dict[int, list[tuple[int, int]]] = {}
        for node, steps in self._graph.steps.items():
            for output, _, target in steps:
                arriving.setdefault(target, []).append((output, node))
        ways: dict[int, tuple[int, int]] = {}
        waiting = deque(self._graph.finals)
        while waiting:
            node = waiting.popleft()
            for output, source in arriving.get(node, ()):
                if source not in ways and source not in self._graph.finals:
                    ways[source] = (output, node)
                    waiting.append(source)
        return ways

    def _part(self, node: int, reached: Mapping[int, tuple[int, int] | None]) -> Iterator[Sounding]:
        """All ways to part within the words that leave ``node``."""
        trie = self._make_trie(node)  # not kept: every node is met once here, and few again
        for inside, words in enumerate(trie.words):
            if not words:
                continue
            steps = [_Step(_Place(target, 0), output) for output, target in words]
            if trie.children[inside]:
                steps.append(_Step(_Place(node, inside), None))
            for first, second in combinations(steps, 2):
                if self.cut_short:
                    return
                origin = _Origin(node, first.output, second.output)
                yield from self._follow(first, second, origin, reached)

    def _follow(
        self,
        first: _Step,
        second: _Step,
        origin: _Origin,
        reached: Mapping[int, tuple[int, int] | None],
    ) -> Iterator[Sounding]:
        """Put the pair that these steps lead to in line; yield what they complete."""
        self._looked += 1
        if self._looked > MOST_PAIRS:
            self.cut_short = True
            return
        words_differ, marks_differ = self._difference(first.output, second.output)
        if isinstance(origin.before, _Pair):
            words_differ |= origin.before.words_differ
            marks_differ |= origin.before.marks_differ
        pair = _Pair(first.place, second.place, words_differ, marks_differ)
        if first.place == second.place:
            if words_differ or marks_differ:
                yield self._sounding(pair, origin, reached)
            return
        if pair in self._origins:
            return
        self._origins[pair] = origin
        self._waiting.append(pair)
        finals = self._graph.finals
        between_words = not (first.place.inside or second.place.inside)
        if between_words and first.place.node in finals and second.place.node in finals:
            yield self._sounding(pair, origin, reached)

    def _difference(self, first: int | None, second: int | None) -> tuple[bool, bool]:
        """Do words and marks differ that two steps leave?"""
        if first is None and second is None:
            return False, False
        if first is None or second is None:
            return True, False
        one, other = self._graph.outputs[first], self._graph.outputs[second]
        return one.word != other.word, (one.before, one.after) != (other.before, other.after)

    def _steps(self, place: _Place, phone: int) -> list[_Step]:
        trie = self._trie(place.node)
        inside = trie.children[place.inside].get(phone)
        if inside is None:
            return []
        steps = [_Step(_Place(target, 0), output) for output, target in trie.words[inside]]
        if trie.children[inside]:
            steps.append(_Step(_Place(place.node, inside), None))
        return steps

    def _trie(self, node: int) -> _Trie:
        trie = self._tries.get(node)
        if trie is None:
            trie = self._tries[node] = self._make_trie(node)
        return trie

    def _make_trie(self, node: int) -> _Trie:
        trie = _Trie()
        for output, _, target in self._graph.steps[node]:
            for phones in self._said[self._graph.outputs[output].word]:
                inside = 0
                for phone in phones:
                    known = trie.children[inside].get(phone)
                    if known is None:
                        known = trie.children[inside][phone] = len(trie.children)
                        trie.children.append({})
                        trie.words.append([])
                    inside = known
                trie.words[inside].append((output, target))
        return trie

    def _sounding(
        self, pair: _Pair, origin: _Origin, reached: Mapping[int, tuple[int, int] | None]
    ) -> Sounding:
        """The sentences of a pair whose walkers have met or can both end."""
        first: list[int] = []
        second: list[int] = []
        while True:
            first += [origin.first] if origin.first is not None else []
            second += [origin.second] if origin.second is not None else []
            if not isinstance(origin.before, _Pair):
                break
            origin = self._origins[origin.before]
        node = origin.before
        before: list[int] = []
        while (way := reached[node]) is not None:
            node, output = way
            before.append(output)
        paths, networks = [], []
        for place, outputs in ((pair.first, first), (pair.second, second)):
            said = [*reversed(before), *reversed(outputs)]
            at = place.node
            # Walkers that met go on together.
            while at not in self._graph.finals:
                output, at = self._endings[at]
                said.append(output)
            ending = self._graph.finals[at][1]
            paths.append(_path([self._graph.outputs[output] for output in said], ending))
            networks.append(ending.network)
        return Sounding(paths[0], paths[1], (networks[0], networks[1]))


def _path(outputs: Sequence[Output], ending: Ending) -> Path:
    """Words with the marks before each; None with the marks behind the last."""
    path: list[tuple[str | None, tuple[Mark, ...]]] = []
    pending: tuple[Mark, ...] = ()
    for output in outputs:
        path.append((output.word, pending + output.before))
        pending = output.after
    return [*path, (None, pending + ending.marks)]
