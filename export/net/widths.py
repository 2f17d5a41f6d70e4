"""How wide the layers of a network are: one number for all, or a number each, as pruning leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Widths: TypeAlias = int | Sequence[int]
"""A number for all layers, or one a layer; lists too, since TOML has no tuples."""


def widths(name: str, value: Widths, layers: int) -> tuple[int, ...]:
    """``value`` as one number a layer.

    Raises
    ------
    ValueError: another number of layers, or a number below 1; ``name`` is what it is called.
    """
    each = (value,) * layers if isinstance(value, int) else tuple(value)
    if len(each) != layers:
        raise ValueError(f"{name} must be a number, or a list of {layers}, got {len(each)}")
    if any(not isinstance(width, int) or width < 1 for width in each):
        raise ValueError(f"{name} must be whole numbers from 1 on, got {value!r}")
    return each
