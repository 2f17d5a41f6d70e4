"""How much each layer can spare: what becomes of the network where that layer alone is cut.

The units that are worth least go first, and the network is really cut, not masked, so that what is normalised
together is normalised without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from export.batches import Item
from export.checkpoint import Checkpoint
from export.net.network import Network
from export.prune.hearing import Hearing, hear
from export.prune.importance import Worth
from export.prune.selection import at_least, best
from export.prune.units import Group, cut

SHARES = (0.25, 0.5, 0.75)
"""Shares of a layer's units that are cut."""
_SLACK = 2.0
"""How much more a layer may lose than where all layers, alone, lose alike and the budget is just met."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What cutting one group does."""

    group: str
    """Its name."""
    units: int
    """How many it has."""
    cut: tuple[Hearing, ...]
    """Figures after each of ``SHARES`` of them went."""


def analyse(
    checkpoint: Checkpoint,
    groups: Sequence[Group],
    worth: Worth,
    items: Sequence[Item],
    device: torch.device,
) -> tuple[Hearing, list[Curve]]:
    """Figures of the whole network, and of each group."""
    whole = hear(_ready(checkpoint, device), items, device)
    curves = []
    for group in tqdm(groups, desc="sensitivity", mininterval=5, disable=None):
        figures = []
        for share in SHARES:
            count = max(1, round((1 - share) * group.units))
            kept = {group.name: best(worth[group.name], count)}
            figures.append(hear(_ready(cut(checkpoint, groups, kept), device), items, device))
        curves.append(Curve(group=group.name, units=group.units, cut=tuple(figures)))
    return whole, curves


def _ready(checkpoint: Checkpoint, device: torch.device) -> Network:
    network: Any = checkpoint.restore()
    ready: Network = network.to(device)
    return ready


def bounds(
    whole: Hearing,
    curves: Sequence[Curve],
    groups: Sequence[Group],
    *,
    meets: Callable[[Mapping[str, int]], bool],
    least_share: float,
) -> dict[str, float]:
    """The share of each group's units that must stay.

    It is found by filling like water: all groups give up what costs each of them, alone, the same loss, as
    little as meets the budget. Then each may give up what costs it twice as much, so that the units' worth
    decides within these bounds.

    Parameters
    ----------
    meets: whether a network with so many units of each group meets the budget.
    """

    def stays(loss: float) -> dict[str, float]:
        return {curve.group: max(least_share, 1 - spared(whole, curve, loss)) for curve in curves}

    def counts(loss: float) -> dict[str, int]:
        share = stays(loss)
        return {group.name: at_least(group, share[group.name], 1) for group in groups}

    low, high = 0.0, 1e-3
    while not meets(counts(high)) and high < 1e6:
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if meets(counts(middle)) else (middle, high)
    return stays(_SLACK * high)


def spared(whole: Hearing, curve: Curve, loss: float) -> float:
    """The share of the group's units that can go before the loss has risen by ``loss``.

    Between what was measured it is a straight line, after it the last line goes on.
    """
    rises = np.maximum.accumulate([0.0, *(figures.loss - whole.loss for figures in curve.cut)])
    shares = (0.0, *SHARES)
    for i in range(1, len(shares)):
        if rises[i] > loss:
            step = (loss - rises[i - 1]) / (rises[i] - rises[i - 1])
            return float(shares[i - 1] + step * (shares[i] - shares[i - 1]))
    slope = max((rises[-1] - rises[-2]) / (shares[-1] - shares[-2]), 1e-9)
    return float(min(1.0, shares[-1] + (loss - rises[-1]) / slope))


def render(whole: Hearing, curves: Sequence[Curve]) -> str:
    """A table for people."""
    head = "".join(f"{f'-{share:.0%}':>16}" for share in SHARES)
    lines = [
        f"dev loss per phone (phone error): {whole.loss:.3f} ({whole.phone_error:.1%}) as it is",
        f"{'layer':14}{'units':>6}{head}",
    ]
    for curve in curves:
        figures = "".join(f"{f'{h.loss:.3f} ({h.phone_error:.1%})':>16}" for h in curve.cut)
        lines.append(f"{curve.group:14}{curve.units:6}{figures}")
    return "\n".join(lines)
