"""Curves of accuracy over the level of the noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.conditions import CLEAN, KINDS, SNRS_DB, Condition

_QUIET_AT_DB = 30.0
"""Where the axis puts the recordings without noise."""
HELD = ("grid", "commands")
"""Sets whose speakers keep to a grammar."""
_STYLES = ("-", "--", ":", "-.")


def draw(figures: dict[str, Any], path: Path) -> None:
    """One panel a set, one colour a noise, one line style a system; grammars let more systems in.

    Parameters
    ----------
    figures: of ``results/accuracy.json``.
    """
    from matplotlib.figure import Figure

    sets = figures["noise"]
    figure = Figure(figsize=(12, 7), layout="constrained")
    *panels, corner = figure.subplots(2, 3).flat
    for axes, (name, conditions) in zip(panels, sets.items(), strict=True):
        held = name in HELD
        for style, system in zip(_STYLES, conditions[CLEAN.name], strict=False):
            for colour, kind in enumerate(KINDS):
                names = [CLEAN.name, *(Condition(kind, snr_db).name for snr_db in SNRS_DB)]
                values = [100 * _mean(conditions[n][system], "right" if held else "wer") for n in names]
                label = f"{system}, {kind}"
                axes.plot(
                    [_QUIET_AT_DB, *SNRS_DB], values, style, color=f"C{colour}", marker=".", label=label
                )
        axes.set_title(f"{name}: {'sentences right' if held else 'word error rate'}")
        axes.set_xticks([*SNRS_DB, _QUIET_AT_DB], [*(f"{s:g}" for s in SNRS_DB), "clean"])
        axes.set_xlabel("speech above noise, dB")
        axes.set_ylabel("%")
        axes.set_ylim(0, 100)  # beyond it all is lost
        axes.grid(alpha=0.3)
    lines, labels = panels[-1].get_legend_handles_labels()
    corner.axis("off")
    corner.legend(lines, labels, loc="center")
    figure.savefig(path, dpi=80)


def _mean(groups: dict[str, dict[str, float]], key: str) -> float:
    """Over the groups, by their utterances."""
    total = sum(group["utterances"] for group in groups.values())
    return sum(group[key] * group["utterances"] for group in groups.values()) / total
