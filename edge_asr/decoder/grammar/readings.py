"""All ways in which a network reads a written sentence, with the lines of the grammar that they stand on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge_asr.decoder.grammar.census import path_of
from edge_asr.decoder.network import Path, WordArc, WordNetwork

_Place = tuple[int, int]
"""Words said, node reached."""


class Reading(NamedTuple):
    """One way to read a sentence."""

    path: Path
    lines: tuple[int, ...]
    """Lines of the grammar that it goes through, in their order, each once."""


class Reader:
    """Reads sentences in ``network``."""

    def __init__(self, network: WordNetwork) -> None:
        self._start, self._end = network.start, network.end
        self._leaving: dict[int, list[WordArc]] = {}
        for arc in network.arcs:
            self._leaving.setdefault(arc.source, []).append(arc)

    def read(self, words: Sequence[str], *, limit: int = 50) -> list[Reading]:
        """Ways to say exactly ``words``, ``limit`` at the most."""
        start, goal = (0, self._start), (len(words), self._end)
        onwards = self._onwards(start, words)
        arriving: dict[_Place, list[_Place]] = {}
        for place, steps in onwards.items():
            for _, target in steps:
                arriving.setdefault(target, []).append(place)
        alive, waiting = {goal}, [goal]
        while waiting:
            for place in arriving.get(waiting.pop(), ()):
                if place not in alive:
                    alive.add(place)
                    waiting.append(place)
        found: list[Reading] = []
        ways: list[tuple[_Place, tuple[WordArc, ...]]] = [(start, ())]
        while ways and len(found) < limit:
            place, way = ways.pop()
            if place == goal:
                found.append(Reading(path_of(way), tuple(dict.fromkeys(arc.line for arc in way if arc.line))))
            ways += [(to, (*way, arc)) for arc, to in reversed(onwards.get(place, ())) if to in alive]
        return found

    def _onwards(self, start: _Place, words: Sequence[str]) -> dict[_Place, list[tuple[WordArc, _Place]]]:
        """Every place that the words lead to, with the steps that lead on from it."""
        places: dict[_Place, list[tuple[WordArc, _Place]]] = {}
        waiting = [start]
        while waiting:
            place = waiting.pop()
            if place in places:
                continue
            position, node = place
            steps = places[place] = []
            for arc in self._leaving.get(node, ()):
                if arc.word is None:
                    steps.append((arc, (position, arc.target)))
                elif position < len(words) and words[position] == arc.word:
                    steps.append((arc, (position + 1, arc.target)))
            waiting += [to for _, to in steps]
        return places
