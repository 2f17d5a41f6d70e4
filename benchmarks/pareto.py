"""Which of several choices are beaten by none."""

from __future__ import annotations

from collections.abc import Sequence


def unbeaten(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points that no other beats, by rising first value.

    Less is better in both values. A point is beaten by one that is as good in both and better in one; points
    that are the same do not beat each other.
    """
    found: list[int] = []
    best = float("inf")
    for index in sorted(range(len(points)), key=lambda i: (*points[i], i)):
        if points[index][1] < best or (found and points[index] == points[found[-1]]):
            found.append(index)
            best = points[index][1]
    return found
