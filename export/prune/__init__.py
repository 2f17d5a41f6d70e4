"""Pruning: units that a network can do without are cut out, and what is left is trained on.

What a unit is, each network says in a description of its own, one a file, and not a tracer: our networks
are chains of products, a unit is the same few rows and columns in each, and a description also names the
setting that becomes smaller, so that a pruned checkpoint is an ordinary one. torch-pruning's DependencyGraph
finds rows and columns by tracing, but neither the sizes of the states nor the settings, and taps and heads
would be units of its own making: most would have to be written here all the same.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edge_asr.errors import UsageError

if TYPE_CHECKING:
    from export.prune.units import Group

GROUPS = {
    "conformer": "export.prune.conformer:groups",
    "lstm": "export.prune.lstm:groups",
    "tdnn": "export.prune.timedelay:tdnn_groups",
    "tdnnf": "export.prune.timedelay:tdnnf_groups",
}
"""Network -> import path of a function from its configuration to the groups of its units."""


def parts_of(network: str, config: dict[str, Any]) -> tuple[str, ...]:
    """Kinds of units that a network has; errors as in :func:`groups_of`."""
    return tuple(dict.fromkeys(group.kind for group in _described(network, config)))


def groups_of(network: str, config: dict[str, Any], parts: tuple[str, ...] = ()) -> list[Group]:
    """What can be cut from a network.

    Parameters
    ----------
    config: fields of the network's own configuration.
    parts: the kinds that may be cut; all but the costly ones where empty (``Group.optional``).

    Raises
    ------
    UsageError: no description of this network, or it has no units of such a kind.
    """
    found, kinds = _described(network, config), parts_of(network, config)
    unknown = sorted({*parts} - {*kinds})
    if unknown:
        raise UsageError(f"network {network!r} has no part {unknown[0]!r}; parts: {', '.join(kinds)}")
    return [g for g in found if (g.kind in parts if parts else not g.optional)]


def _described(network: str, config: dict[str, Any]) -> list[Group]:
    if network not in GROUPS:
        raise UsageError(f"network {network!r} cannot be pruned; those that can: {', '.join(GROUPS)}")
    module, _, name = GROUPS[network].partition(":")
    describe: Callable[[dict[str, Any]], list[Group]] = getattr(importlib.import_module(module), name)
    return describe(config)
