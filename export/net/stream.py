"""Between one stream without a batch axis, which is exported, and batches of files, which are trained.

For networks whose states all have the batch as their first axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from export.net.network import Network


def parts(state: Tensor, sizes: Sequence[int], dim: int) -> list[Tensor]:
    """``torch.split``; one part is the state itself, since litert-torch cannot convert a split into one."""
    return list(torch.split(state, list(sizes), dim=dim)) if len(sizes) > 1 else [state]


def zero_states(network: Network, features: Tensor) -> tuple[Tensor, ...]:
    """The states at the start of a batch of files ``features`` (batch, frames, bins)."""
    shapes = network.state_shapes().values()
    return tuple(features.new_zeros(features.shape[0], *shape) for shape in shapes)


def step_once(network: Network, features: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """``Network.step`` by way of a batch of one: (chunk_frames, bins) -> log-probabilities and new states."""
    log_probs, after = network(features[None], tuple(state[None] for state in states))
    return log_probs[0], *(state[0] for state in after)
