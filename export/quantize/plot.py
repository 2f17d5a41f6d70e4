"""A picture of a network's sensitivity: one bar a product and form, by divergence alone and left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_asr.errors import MissingExtraError
from export.quantize.sensitivity import Sensitivity


def draw(rows: Sequence[Sensitivity], path: Path) -> None:
    """Write a PNG.

    Raises
    ------
    MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train", "Drawing") from error
    forms = list(dict.fromkeys(row.form for row in rows))
    modules = list(dict.fromkeys(row.module for row in rows))
    both = any(row.rest for row in rows)
    figure = Figure(figsize=(6.0 * (1 + both), 1.2 + 0.28 * len(modules)), layout="constrained")
    axes = figure.subplots(1, 1 + both, sharey=True, squeeze=False)[0]
    titles = ("alone", "all but it")[: 1 + both]
    height = 0.8 / len(forms)
    for axis, title in zip(axes, titles, strict=True):
        for number, form in enumerate(forms):
            chosen = [row for row in rows if row.form == form]
            effects = [(row, row.alone if title == "alone" else row.rest) for row in chosen]
            places = [modules.index(row.module) + number * height for row, effect in effects if effect]
            axis.barh(places, [1e3 * e.divergence for _, e in effects if e], height, label=form)
        axis.set_title(title)
        axis.set_xlabel("divergence, thousandths of a nat per output")
        if title == "alone":  # over several powers of ten
            axis.set_xscale("log")
    axes[0].set_yticks([i + 0.4 - height / 2 for i in range(len(modules))], modules)
    axes[0].invert_yaxis()
    axes[0].legend()
    figure.savefig(path, dpi=100, format="png")
