"""Finding a written sentence in a network: what the decoder would return if it heard these words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_asr.decoder.network import ANYTHING, Mark, Path, Placeholder, WordArc, WordNetwork


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
    """The heaviest way that says exactly ``words``, or None.

    Any words fit an open slot; none fit where a run-time list has not joined (``WordNetwork.filled``).
    """
    leaving: dict[int, list[WordArc]] = {}
    for arc in network.arcs:
        leaving.setdefault(arc.source, []).append(arc)
    start, goal = _Place(0, network.start), _Place(len(words), network.end)
    best = {start: _Arrival(0.0, None, None)}
    waiting = deque([start])
    while waiting:
        place = waiting.popleft()
        for arc in leaving.get(place.node, ()):
            weight = best[place].weight + arc.weight
            for position in _positions(arc, place.position, words):
                target = _Place(position, arc.target)
                if target not in best or weight > best[target].weight:
                    best[target] = _Arrival(weight, place, arc)
                    waiting.append(target)
    return _way_back(best, goal, words) if goal in best else None


def _positions(arc: WordArc, position: int, words: Sequence[str]) -> Iterable[int]:
    """How many words may be said behind ``arc``."""
    if arc.word is None:
        return (position,)
    if arc.word == ANYTHING:
        return range(position + 1, len(words) + 1)
    fits = position < len(words) and words[position] == arc.word and not isinstance(arc.word, Placeholder)
    return (position + 1,) if fits else ()


def _way_back(best: dict[_Place, _Arrival], goal: _Place, words: Sequence[str]) -> Path:
    """The path to ``goal``."""
    path: list[tuple[str | None, tuple[Mark, ...]]] = []
    word: str | None = None
    marks: list[Mark] = []
    place: _Place | None = goal
    while place is not None:
        arrival = best[place]
        first = arrival.before.position if arrival.before else place.position
        for said in reversed(words[first : place.position]):
            path.append((word, tuple(reversed(marks))))
            word, marks = said, []
        if arrival.arc is not None and arrival.arc.mark is not None:
            marks.append(arrival.arc.mark)
        place = arrival.before
    path.append((word, tuple(reversed(marks))))
    return path[::-1]
