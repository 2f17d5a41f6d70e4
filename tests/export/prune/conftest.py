"""Checkpoints of tiny networks of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prunable import BINS, OUTPUTS, TINY


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
