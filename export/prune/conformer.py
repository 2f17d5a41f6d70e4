"""Units of the Conformer: those of its feed-forward layers, heads of its attention, channels of its front."""

from __future__ import annotations

from typing import Any

from export.net.conformer import ConformerConfig
from export.net.widths import widths
from export.prune.timedelay import channels
from export.prune.units import Group, lines, runs


def groups(config: dict[str, Any]) -> list[Group]:
    """See ``GROUPS``. Channels that blocks add to are not among them: convolutions are as wide."""
    shape = ConformerConfig(**config)
    found = [channels(shape.channels)]
    for i, units in enumerate(widths("ff", shape.ff, 2 * shape.layers)):
        layer = f"blocks.{i // 2}.{('before', 'after')[i % 2]}"
        found.append(
            Group(
                kind="ff",
                layer=i,
                units=units,
                slices=(
                    lines(f"{layer}.wide.weight", units),
                    lines(f"{layer}.wide.bias", units),
                    lines(f"{layer}.narrow.weight", units, axis=1),
                ),
            )
        )
    for i, (heads, head_dim) in enumerate(shape.attended()):
        layer = f"blocks.{i}.attention"
        rows = (f"{layer}.{name}" for name in ("ask.weight", "ask.bias", "offer.weight"))
        given = (f"{layer}.{name}" for name in ("give.weight", "give.bias"))
        found.append(
            Group(
                kind="heads",
                layer=i,
                units=heads,
                slices=(
                    *(runs(name, heads, head_dim) for name in (*rows, *given)),
                    runs(f"{layer}.out.weight", heads, head_dim, axis=1),
                    lines(f"{layer}.distances", heads),
                ),
                settings={"head_dim": head_dim},
            )
        )
    return found
