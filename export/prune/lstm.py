"""Units of the LSTM: its cells, and the channels of its front.

Cells are normalised together, so that without one of them all others change a little, even where it was
always zero.
"""

from __future__ import annotations

from typing import Any

from export.net.lstm import LstmConfig
from export.prune.timedelay import channels
from export.prune.units import Group, Slice, lines

_GATES = 4


def groups(config: dict[str, Any]) -> list[Group]:
    """See ``GROUPS``. Layers that look ahead add to what they are given: all of them lose the same."""
    shape = LstmConfig(**config)
    passed = shape.passed()
    first, ends = _front(passed[0]), []
    for i, units in enumerate(passed[1:]):
        after = _given(i + 1, units) if i + 1 < shape.layers else (lines("out.weight", units, axis=1),)
        ends.append((*_cells(i, units), *_norm(f"norms.{i + 1}", units), *after))
    found = [channels(shape.channels)]
    if shape.ahead:
        looks = [part for i, ahead in enumerate(shape.ahead) for part in _look(i, ahead, passed[0])]
        slices = (*first, *looks, *(part for end in ends for part in end))
        return [*found, Group(kind="hidden", units=passed[0], slices=slices, settings={"front": 0})]
    found.append(Group(kind="front", units=passed[0], slices=tuple(first)))
    kept = {"front": passed[0]}
    found += [
        Group(kind="hidden", layer=i, units=units, slices=end, settings=kept)
        for i, (units, end) in enumerate(zip(passed[1:], ends, strict=True))
    ]
    return found


def _front(units: int) -> list[Slice]:
    return [
        lines("second.weight", units),
        lines("second.bias", units),
        *_norm("norms.0", units),
        *_given(0, units),
    ]


def _norm(name: str, units: int) -> tuple[Slice, ...]:
    return lines(f"{name}.weight", units), lines(f"{name}.bias", units)


def _given(layer: int, units: int) -> tuple[Slice, ...]:
    """What a layer does with what it is given."""
    return (lines(f"lstms.{layer}.weight_ih_l0", units, axis=1),)


def _cells(layer: int, units: int) -> tuple[Slice, ...]:
    """Rows of the gates of each cell, and what it tells all cells a step later."""
    name = f"lstms.{layer}"
    rows = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    gates = (lines(f"{name}.{part}", units, copies=_GATES) for part in rows)
    return *gates, lines(f"{name}.weight_hh_l0", units, axis=1)


def _look(layer: int, ahead: int, units: int) -> tuple[Slice, ...]:
    name = f"ahead.{layer}"
    return (
        lines(f"{name}.weight", units),
        lines(f"{name}.bias", units),
        lines(f"{name}.weight", units, axis=1, copies=ahead + 1),
        *_norm(f"ahead_norms.{layer}", units),
    )
