"""Dropout of whole channels, the same ones at every step of an utterance.

Source: Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural
networks", 2016 (variational dropout).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class ChannelDropout(nn.Module):
    """Drops a share ``p`` of the channels while training; has no weights."""

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {p}")
        self._p = p

    def forward(self, x: Tensor) -> Tensor:
        """(batch, steps, channels) -> the same shape."""
        if not self.training or not self._p:
            return x
        return functional.dropout1d(x.transpose(1, 2), self._p).transpose(1, 2)
