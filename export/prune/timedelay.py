"""Units of time-delay networks: rectified units, ranks of bottlenecks, taps of contexts, channels."""

from __future__ import annotations

from typing import Any

from export.net.context import taps
from export.net.tdnn import TdnnConfig
from export.net.tdnnf import TdnnfConfig
from export.net.widths import widths
from export.prune.units import Group, lines, runs

_SPLICED = 5
"""Frames that the second convolution of the front sees (export/net/front.py)."""


def channels(units: int) -> Group:
    """Of the first convolution, in every network; each is rectified."""
    return Group(
        kind="channels",
        units=units,
        slices=(
            lines("first.weight", units),
            lines("first.bias", units),
            lines("second.weight", units, axis=1, copies=_SPLICED),
        ),
    )


def tdnn_groups(config: dict[str, Any]) -> list[Group]:
    """See ``GROUPS``.

    ``taps`` and ``dim`` are cut on demand only. A tap is a third of a block at once, and channels are
    normalised together, so that without one of them all others change a little.
    """
    shape = TdnnConfig(**config)
    dim, ff = shape.dim, widths("ff", shape.ff, len(shape.contexts))
    heard, listening = shape.heard(), shape.listening()
    found = [channels(shape.channels)]
    for i, units in enumerate(ff):
        rows = (lines(f"layers.{i}.wide.weight", units), lines(f"layers.{i}.wide.bias", units))
        columns = lines(f"layers.{i}.narrow.weight", units, axis=1)
        found.append(Group(kind="ff", layer=i, units=units, slices=(*rows, columns)))
    for i, kept in enumerate(heard):
        # What the mean so far is given comes after the taps and stays.
        columns = runs(f"layers.{i}.wide.weight", len(kept), dim, axis=1)
        found.append(
            Group(
                kind="taps",
                layer=i,
                units=len(kept),
                values=tuple(kept),
                slices=(columns,),
                optional=True,
            )
        )
    slices = [*_channel_ends(dim), lines("last_norm.weight", dim), lines("last_norm.bias", dim)]
    for i, (kept, mean) in enumerate(zip(heard, listening, strict=True)):
        slices += [
            lines(f"layers.{i}.norm.weight", dim),
            lines(f"layers.{i}.norm.bias", dim),
            lines(f"layers.{i}.wide.weight", dim, axis=1, copies=len(kept) + mean),
            lines(f"layers.{i}.narrow.weight", dim),
            lines(f"layers.{i}.narrow.bias", dim),
        ]
    return [*found, Group(kind="dim", units=dim, slices=tuple(slices), optional=True)]


def tdnnf_groups(config: dict[str, Any]) -> list[Group]:
    """See ``GROUPS``; ``dim`` is cut on demand only, as above."""
    shape = TdnnfConfig(**config)
    dim, ranks = shape.dim, widths("bottleneck", shape.bottleneck, len(shape.contexts))
    found = [channels(shape.channels)]
    slices = [*_channel_ends(dim)]
    listening = shape.listening()
    for i, (rank, (left, right), mean) in enumerate(zip(ranks, shape.contexts, listening, strict=True)):
        thin, memory = f"layers.{i}.bottleneck.weight", f"layers.{i}.memory.weight"
        wide = f"layers.{i}.affine"
        # The memory's bottleneck is as wide: a unit takes one of its rows along.
        rows = [lines(thin, rank)] + [lines(memory, rank)] * mean
        columns = lines(f"{wide}.weight", rank, axis=1, copies=len(taps(0, right)) + mean)
        found.append(Group(kind="bottleneck", layer=i, units=rank, slices=(*rows, columns)))
        slices += [lines(memory, dim, axis=1)] * mean
        slices += [
            lines(thin, dim, axis=1, copies=len(taps(left, 0))),
            lines(f"{wide}.weight", dim),
            lines(f"{wide}.bias", dim),
            lines(f"layers.{i}.norm.weight", dim),
            lines(f"layers.{i}.norm.bias", dim),
        ]
    return [*found, Group(kind="dim", units=dim, slices=tuple(slices), optional=True)]


def _channel_ends(dim: int) -> list[Any]:
    """Where the channels that blocks add to begin and end."""
    return [
        lines("second.weight", dim),
        lines("second.bias", dim),
        lines("front_norm.weight", dim),
        lines("front_norm.bias", dim),
        lines("out.weight", dim, axis=1),
    ]
