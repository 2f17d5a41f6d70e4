"""Options of a tiny network of every kind that can be pruned."""

from __future__ import annotations

from typing import Any

BINS, OUTPUTS = 13, 6
TINY: dict[str, dict[str, Any]] = {
    "conformer": {"dim": 8, "heads": 2, "ff": 12, "layers": 2, "kernel": 4, "left_outputs": 6},
    "lstm": {"hidden": 8, "layers": 2},
    "lstm-ahead": {"hidden": 8, "layers": 2, "ahead": [2, 1]},
    "tdnn": {"dim": 8, "ff": 12, "contexts": [[1, 1], [3, 0], [0, 2]], "mean_every": 2},
    "tdnnf": {"dim": 8, "bottleneck": 5, "contexts": [[1, 1], [3, 0], [0, 2]], "mean_every": 2},
}
"""Options of a small one of each, with contexts to both sides."""
