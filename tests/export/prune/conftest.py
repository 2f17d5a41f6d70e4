"""Tiny networks of every kind, and what they are pruned by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

BINS, OUTPUTS = 13, 6
TINY: dict[str, dict[str, Any]] = {
    "conformer": {"dim": 8, "heads": 2, "ff": 12, "layers": 2, "kernel": 4, "left_outputs": 6},
    "lstm": {"hidden": 8, "layers": 2},
    "lstm-ahead": {"hidden": 8, "layers": 2, "ahead": [2, 1]},
    "tdnn": {"dim": 8, "ff": 12, "contexts": [[1, 1], [3, 0], [0, 2]], "mean_every": 2},
    "tdnnf": {"dim": 8, "bottleneck": 5, "contexts": [[1, 1], [3, 0], [0, 2]]},
}
"""Options of a small one of each, with contexts to both sides."""


@pytest.fixture
def tiny(tiny_checkpoint: Callable[..., Any]) -> Callable[[str], Any]:
    """A checkpoint by name, with weights at random everywhere, norms and biases too."""

    def make(subject: str, **changes: Any) -> Any:
        import torch

        from export.net import create_network

        torch.manual_seed(3)
        options = {"channels": 6, "dropout": 0.0, "lookahead_frames": 10, **TINY[subject], **changes}
        config = {**options, "bins": BINS, "outputs": OUTPUTS}
        name = subject.partition("-")[0]
        network: Any = create_network(name, config)
        with torch.no_grad():
            for weights in network.parameters():
                weights.add_(0.1 * torch.randn_like(weights))
        return tiny_checkpoint(dict(network.state_dict()), network=name, config=config)

    return make
