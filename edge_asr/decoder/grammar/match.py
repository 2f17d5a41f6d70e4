"""Finding a written sentence in a network: what the decoder would return if it heard these words."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from edge_asr.decoder.network import Mark, Path, WordArc, WordNetwork


class _Place(NamedTuple):
    """``position`` words are said and ``node`` is reached."""

    position: int
    node: int


class _Arrival(NamedTuple):
    """Best way to a place so far."""

    weight: float
    before: _Place | None
    arc: WordArc | None


def match(network: WordNetwork, words: Sequence[str]) -> Path | None:
    """The heaviest way that says exactly ``words``, or None."""
    leaving: dict[int, list[WordArc]] = {}
    for arc in network.arcs:
        leaving.setdefault(arc.source, []).append(arc)
    start, goal = _Place(0, network.start), _Place(len(words), network.end)
    best = {start: _Arrival(0.0, None, None)}
    waiting = deque([start])
    while waiting:
        place = waiting.popleft()
        for arc in leaving.get(place.node, ()):
            if arc.word is None:
                target = _Place(place.position, arc.target)
            elif place.position < len(words) and words[place.position] == arc.word:
                target = _Place(place.position + 1, arc.target)
            else:
                continue
            weight = best[place].weight + arc.weight
            if target not in best or weight > best[target].weight:
                best[target] = _Arrival(weight, place, arc)
                waiting.append(target)
    return _way_back(best, goal) if goal in best else None


def _way_back(best: dict[_Place, _Arrival], goal: _Place) -> Path:
    """The path to ``goal``."""
    path: list[tuple[str | None, tuple[Mark, ...]]] = []
    word: str | None = None
    marks: list[Mark] = []
    place: _Place | None = goal
    while place is not None:
        arrival = best[place]
        if arrival.arc is not None and arrival.arc.word is not None:
            path.append((word, tuple(reversed(marks))))
            word, marks = arrival.arc.word, []
        if arrival.arc is not None and arrival.arc.mark is not None:
            marks.append(arrival.arc.mark)
        place = arrival.before
    path.append((word, tuple(reversed(marks))))
    return path[::-1]
