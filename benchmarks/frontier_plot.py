"""Accuracy against size and against time, one mark a graph, with the line that nothing lies below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_PANELS = (
    ("bytes", "words by size", "size of the graph, MB", 1e-6),
    ("ms_per_audio_s", "words by time", "processor time per second of audio, ms", 1.0),
    ("bytes", "commands by size", "size of the graph, MB", 1e-6),
    ("ms_per_audio_s", "commands by time", "processor time per second of audio, ms", 1.0),
)
"""Cost, frontier, title of the axis, and what makes its unit of the figure's."""
_MISTAKES = {
    "words": ("librispeech_wer", "LibriSpeech, words wrong, %"),
    "commands": ("commands_wrong", "commands in noise, sentences wrong, %"),
}
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
"""Of forms, in turn."""
_PLACES = tuple(
    (dx, dy, "left" if dx > 0 else "right" if dx < 0 else "center")
    for distance in (7, 14, 22, 32, 44)
    for dx, dy in (
        (distance, 0), (0, distance), (distance * 0.8, distance * 0.8), (0, -distance - 3),
        (distance * 0.8, -distance), (-distance, 0), (-distance * 0.8, distance * 0.8),
        (-distance * 0.8, -distance),
    )
)  # fmt: skip
"""Where a label may stand beside its mark, in points, the best first."""
_NEAR = 8
"""So many of them are so near that the label needs no line to its mark."""


def draw(figures: dict[str, Any], path: Path) -> None:
    """Two measures of accuracy by two costs; colours are networks, marks and labels forms.

    Below and left is better; what lies on the line, filled, is beaten by none.

    Parameters
    ----------
    figures: of ``results/frontier.json``.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    points = figures["points"]
    models = list(dict.fromkeys(point["model"] for point in points))
    forms = list(dict.fromkeys(point["form"] for point in points))
    figure = Figure(figsize=(13, 9.5), layout="constrained")
    for axes, (cost, frontier, title, unit) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        mistake, what = _MISTAKES[frontier.partition(" ")[0]]
        places = [(unit * point[cost], 100 * point[mistake]) for point in points]
        on = sorted(place for place, p in zip(places, points, strict=True) if frontier in p["frontiers"])
        axes.set_xscale("log")
        _mark_ticks(axes, [x for x, _ in places])
        axes.set_xlabel(title)
        axes.set_ylabel(what)
        axes.grid(alpha=0.25)
        axes.margins(0.12, 0.15)
        axes.step(*zip(*on, strict=True), where="post", color="0.6", linewidth=1.2, zorder=1)
        for point, (x, y) in zip(points, places, strict=True):
            colour = f"C{models.index(point['model'])}"
            mark = _MARKS[forms.index(point["form"]) % len(_MARKS)]
            face = colour if frontier in point["frontiers"] else "white"
            axes.plot(x, y, mark, color=colour, markerfacecolor=face, markersize=7)
    names = [Line2D([], [], color=f"C{i}", linewidth=4, label=model) for i, model in enumerate(models)]
    figure.legend(handles=names, loc="outside upper center", ncols=len(models))
    figure.draw_without_rendering()  # lays the panels out, so that places on the page are known
    for axes, (cost, frontier, _, unit) in zip(list(figure.axes), _PANELS, strict=True):
        mistake, _ = _MISTAKES[frontier.partition(" ")[0]]
        places = [(unit * point[cost], 100 * point[mistake]) for point in points]
        _label(
            axes,
            [point["form"] for point in points],
            places,
            [f"C{models.index(point['model'])}" for point in points],
        )
    figure.savefig(path, dpi=100)


def _mark_ticks(axes: Any, values: list[float]) -> None:
    """Plain numbers on a logarithmic axis, as many as its range needs."""
    steps = [base * 10.0**power for power in range(-3, 4) for base in (1, 1.5, 2, 3, 4, 5, 7)]
    near = [step for step in steps if 0.8 * min(values) <= step <= 1.25 * max(values)]
    axes.set_xticks(near, [f"{step:g}" for step in near])
    axes.minorticks_off()


def _label(axes: Any, names: list[str], places: list[tuple[float, float]], colours: list[str]) -> None:
    """Write each name where it meets no mark and no name written before, or where it meets the fewest."""
    from matplotlib.patheffects import withStroke
    from matplotlib.transforms import Bbox

    marks = axes.transData.transform(places)
    taken = [Bbox([[x - 6, y - 6], [x + 6, y + 6]]) for x, y in marks]
    inside = axes.get_window_extent()
    for name, place, colour in zip(names, places, colours, strict=True):
        style = {"va": "center", "fontsize": 9, "color": colour, "textcoords": "offset points"}
        tries: list[tuple[int, int]] = []
        text = axes.annotate(name, place, (0, 0), **style)
        for number, (dx, dy, side) in enumerate(_PLACES):
            text.set(position=(dx, dy), ha=side)
            box = text.get_window_extent()
            met = sum(box.overlaps(other) for other in taken)
            outside = not (inside.contains(*box.min) and inside.contains(*box.max))
            tries.append((met + 3 * outside, number))
            if tries[-1][0] == 0:
                break
        _, number = min(tries)
        dx, dy, side = _PLACES[number]
        text.set(position=(dx, dy), ha=side)
        taken.append(text.get_window_extent())
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
        if number >= _NEAR:
            line = {"arrowstyle": "-", "color": colour, "linewidth": 0.6}
            axes.annotate("", place, (dx, dy), textcoords="offset points", arrowprops=line)
