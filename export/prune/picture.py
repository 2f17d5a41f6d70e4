"""A picture of what each layer can spare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from export.prune.hearing import Hearing
from export.prune.sensitivity import SHARES, Curve


def draw_sensitivity(whole: Hearing, curves: Sequence[Curve], path: Path, *, title: str) -> None:
    """Write how many points of phone error each cut costs, one row a layer (the ending says which format)."""
    from matplotlib.figure import Figure

    points = np.array([[100 * (h.phone_error - whole.phone_error) for h in curve.cut] for curve in curves])
    figure = Figure(figsize=(6.0, 1.4 + 0.27 * len(curves)), layout="constrained")
    panel = figure.subplots()
    shown = panel.imshow(points, aspect="auto", cmap="YlOrRd", vmin=0, vmax=max(1.0, float(points.max())))
    for row, column in np.ndindex(*points.shape):
        bright = points[row, column] < 0.6 * max(1.0, float(points.max()))
        panel.text(
            column,
            row,
            f"{points[row, column]:+.1f}",
            ha="center",
            va="center",
            fontsize=8,
            color="black" if bright else "white",
        )
    panel.set_xticks(range(len(SHARES)), [f"{share:.0%} cut" for share in SHARES])
    panel.set_yticks(range(len(curves)), [f"{c.group} ({c.units})" for c in curves], fontsize=8)
    figure.colorbar(shown, label="points of phone error")
    panel.set_title(f"{title}: each layer cut alone, {whole.phone_error:.1%} as it is", fontsize=9)
    figure.savefig(path, dpi=110)
