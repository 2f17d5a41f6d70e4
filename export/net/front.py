"""The front that networks share: two convolutions that thin the frames out to a third.

They are products of spliced frames, which int8 engines like. Their weights stand in the network itself,
as ``first`` and ``second``, so that checkpoints do not depend on where this code is. They look back only:
output t sees the frames 3t - 6 to 3t + 2.

Source: A. Waibel et al., "Phoneme recognition using time-delay neural networks", 1989.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

SUBSAMPLING = 3
"""Feature frames per output."""
_FIRST, _SECOND = 5, 5
"""Frames that the two convolutions see."""
CONTEXT_FRAMES = (_FIRST - 1) + (_SECOND - SUBSAMPLING)
"""Feature frames of the past that they keep."""


def front_layers(bins: int, channels: int, width: int) -> tuple[nn.Linear, nn.Linear]:
    """Fresh ``first`` and ``second``: ``bins`` features to ``channels`` to ``width`` values."""
    return nn.Linear(_FIRST * bins, channels), nn.Linear(_SECOND * channels, width)


def thin_out(features: Tensor, context: Tensor, first: nn.Linear, second: nn.Linear) -> tuple[Tensor, Tensor]:
    """(batch, frames, bins) after (batch, 6, bins) of context -> (batch, frames // 3, width), new context."""
    x = torch.cat([context, features], dim=1)
    context = x[:, x.shape[1] - CONTEXT_FRAMES :]
    x = functional.relu(first(splice(x, range(_FIRST))))
    return functional.relu(second(splice(x, range(_SECOND), SUBSAMPLING))), context


def splice(x: Tensor, offsets: Sequence[int], stride: int = 1) -> Tensor:
    """Lay frames side by side: (batch, frames, n) -> (batch, steps, len(offsets) * n).

    Parameters
    ----------
    offsets: which frames, counted from the oldest one that a step reaches, rising; a step ends
        with the last one.
    stride: frames from one step to the next.
    """
    reach = x.shape[1] - offsets[-1]
    return torch.cat([x[:, i : reach + i : stride] for i in offsets], dim=-1)
