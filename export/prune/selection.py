"""Which units stay, so that a network meets its budget and loses what is worth least."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from edge_asr.arrays import Float64Array
from edge_asr.errors import UsageError
from export.prune.importance import Worth
from export.prune.units import Group, Kept

Price = Callable[[Mapping[str, int]], float]
"""What the network costs with so many units of each group."""

_FEW = 4
"""Groups of fewer units than so many multiples may have any number of them: heads, taps."""


def whole(groups: Sequence[Group]) -> dict[str, int]:
    """All units of each group."""
    return {group.name: group.units for group in groups}


def at_least(group: Group, share: float, multiple: int) -> int:
    """A number of units that is no smaller than this share of them, above zero, and a multiple."""
    count = max(1, math.ceil(share * group.units - 1e-9))
    if group.units >= _FEW * multiple:
        count = min(group.units, -(-count // multiple) * multiple)
    return count


def per_cost(worth: Worth, groups: Sequence[Group], price: Price) -> Worth:
    """What each unit is worth for each multiplication, or byte, that it costs."""
    everything = whole(groups)
    full = price(everything)
    after: Worth = {}
    for group in groups:
        one_less = {**everything, group.name: max(1, group.units - 1)}
        after[group.name] = worth[group.name] / max(full - price(one_less), 1e-9)
    return after


def select(
    groups: Sequence[Group],
    worth: Worth,
    *,
    price: Price,
    limit: float,
    stays: Mapping[str, float],
    multiple: int = 1,
) -> Kept:
    """The units that stay if those that are worth least go, whichever group they are in.

    Parameters
    ----------
    worth: of each unit, comparable between groups.
    limit: what the network may cost.
    stays: share of each group's units that stays in any case.
    multiple: of which the number of units that stay is, but for groups of few.

    Raises
    ------
    UsageError: even the least would cost more than ``limit``.
    """
    order = np.argsort(np.concatenate([worth[g.name] for g in groups]), kind="stable")
    owner = np.concatenate([np.full(g.units, i) for i, g in enumerate(groups)])[order]

    def counts(gone: int) -> dict[str, int]:
        lost = np.bincount(owner[:gone], minlength=len(groups))
        return {
            group.name: at_least(group, max(stays[group.name], 1 - lost[i] / group.units), multiple)
            for i, group in enumerate(groups)
        }

    low, high = 0, len(order)
    if price(counts(high)) > limit:
        raise UsageError(
            f"the budget is {limit:,.0f}, but what must stay costs {price(counts(high)):,.0f}: raise the "
            "budget, lower least_share, or name more parts"
        )
    while low < high:  # the fewest units whose loss meets the budget
        middle = (low + high) // 2
        low, high = (low, middle) if price(counts(middle)) <= limit else (middle + 1, high)
    return {group.name: best(worth[group.name], counts(low)[group.name]) for group in groups}


def best(worth: Float64Array, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers of the ``count`` units that are worth most, rising."""
    return np.sort(np.argsort(-worth, kind="stable")[:count])
