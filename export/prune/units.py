"""Units of a network: what belongs to one, and a checkpoint without some of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from edge_asr.arrays import Int64Array
from export.checkpoint import Checkpoint

Kept = Mapping[str, Int64Array]
"""By group: numbers of the units that stay, rising."""


@dataclass(frozen=True)
class Slice:
    """The part of one tensor that belongs to the units of a group."""

    weights: str
    """Name in the ``state_dict``."""
    axis: int
    """Along which the units lie."""
    index: Int64Array
    """(units, n): places along the axis that belong to each unit."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Units of like kind, of which any may go: those of one layer, or channels of the whole network."""

    kind: str
    """The setting of the network that says how many there are."""
    layer: int | None = None
    """Place in that setting, where each layer has a number of its own; None where one counts for all."""
    units: int
    """How many there are."""
    slices: tuple[Slice, ...]
    """What belongs to them."""
    values: tuple[int, ...] = ()
    """What the setting lists of each unit, where it is no count (the taps of a context)."""
    settings: Mapping[str, int] = field(default_factory=dict)
    """Other settings that followed from the number of units, and must now be given."""
    optional: bool = False
    """Whether the units are cut only where a recipe names their kind."""

    @property
    def name(self) -> str:
        """``ff 3``, or ``dim``."""
        return self.kind if self.layer is None else f"{self.kind} {self.layer}"


def lines(weights: str, units: int, *, axis: int = 0, copies: int = 1, first: int = 0) -> Slice:
    """One line a unit, ``copies`` times: unit u has the lines ``first + u``, ``first + units + u`` ..."""
    return Slice(weights, axis, first + np.arange(copies) * units + np.arange(units)[:, None])


def runs(weights: str, units: int, length: int, *, axis: int = 0) -> Slice:
    """Neighbouring lines: unit u has ``u * length`` and those after it."""
    return Slice(weights, axis, np.arange(units * length).reshape(units, length))


def narrowed(config: Mapping[str, Any], groups: Sequence[Group], kept: Kept) -> dict[str, Any]:
    """The configuration of a network that has only the ``kept`` units; groups without an entry keep all."""
    stay = {group.name: kept.get(group.name, np.arange(group.units)) for group in groups}
    changed = {group.kind for group in groups if len(stay[group.name]) < group.units}
    after = dict(config)
    for group in groups:
        if group.kind in changed:
            after |= group.settings
    for kind in changed:
        each = [group for group in groups if group.kind == kind]
        if each[0].values:
            after[kind] = [[group.values[u] for u in stay[group.name]] for group in each]
        else:
            numbers = [len(stay[group.name]) for group in each]
            after[kind] = numbers if len({*numbers}) > 1 else numbers[0]
    return after


def cut(checkpoint: Checkpoint, groups: Sequence[Group], kept: Kept) -> Checkpoint:
    """The checkpoint with the ``kept`` units of each group only; it is as good to load as any.

    ``groups`` must be all of the kinds that are cut, since a setting lists all layers.

    Raises
    ------
    ValueError: a group would lose all of its units.
    """
    stays: dict[tuple[str, int], torch.Tensor] = {}
    for group in groups:
        if group.name not in kept:
            continue
        if not len(kept[group.name]):
            raise ValueError(f"{group.name}: nothing would be left")
        gone = np.setdiff1d(np.arange(group.units), kept[group.name])
        for part in group.slices:
            shape = checkpoint.weights[part.weights].shape
            stay = stays.setdefault((part.weights, part.axis), torch.ones(shape[part.axis], dtype=torch.bool))
            stay[torch.from_numpy(part.index[gone].ravel())] = False
    weights = dict(checkpoint.weights)
    for (name, axis), stay in stays.items():
        weights[name] = weights[name].index_select(axis, stay.nonzero().flatten())
    return dataclasses.replace(checkpoint, config=narrowed(checkpoint.config, groups, kept), weights=weights)
