"""Curves of accuracy over the level of the noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.conditions import CLEAN, KINDS, SNRS_DB, Condition

_QUIET_AT_DB = 30.0
"""Where the axis puts the recordings without noise."""
_STYLES = ("-", "--", ":", "-.")


def draw(figures: dict[str, Any], path: Path) -> None:
    """One panel a set, one colour a noise, one line style a system.

    Parameters
    ----------
    figures: of ``results/accuracy.json``.
    """
    from matplotlib.figure import Figure

    sets = figures["noise"]
    figure = Figure(figsize=(4 * len(sets), 4), layout="constrained")
    for axes, (name, conditions) in zip(
        figure.subplots(1, len(sets), squeeze=False)[0], sets.items(), strict=True
    ):
        held = name in ("grid", "commands")
        for style, system in zip(_STYLES, conditions[CLEAN.name], strict=False):
            for colour, kind in enumerate(KINDS):
                names = [CLEAN.name, *(Condition(kind, snr_db).name for snr_db in SNRS_DB)]
                values = [100 * _mean(conditions[n][system], "right" if held else "wer") for n in names]
                label = f"{system}, {kind}"
                axes.plot(
                    [_QUIET_AT_DB, *SNRS_DB], values, style, color=f"C{colour}", marker=".", label=label
                )
        axes.set_title(name)
        axes.set_xticks([*SNRS_DB, _QUIET_AT_DB], [f"{s:g}" for s in SNRS_DB] + ["clean"])
        axes.set_xlabel("speech above noise, dB")
        axes.set_ylabel("sentences right, %" if held else "word error rate, %")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    figure.savefig(path, dpi=100)


def _mean(groups: dict[str, dict[str, float]], key: str) -> float:
    """Over the groups, by their utterances."""
    total = sum(group["utterances"] for group in groups.values())
    return sum(group[key] * group["utterances"] for group in groups.values()) / total
