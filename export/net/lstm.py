"""Unidirectional LSTM over subsampled features, for CTC.

Convolutions thin the frames out to a third (as products of spliced frames, which int8 engines like),
then LSTM layers with layer normalisation between them. Causal: it answers late by as much as training
finds useful, at most ``lookahead_frames``.

Sources: S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997; A. Graves et al.,
"Connectionist temporal classification", ICML 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_FIRST, _SECOND = 5, 5
"""Frames that the two convolutions see."""


@dataclass(frozen=True, kw_only=True)
class LstmConfig:
    """Shape of the network."""

    bins: int
    """Values in a feature frame."""
    outputs: int
    """Blank and tokens."""
    channels: int = 96
    """Outputs of the first convolution."""
    hidden: int = 320
    """Units of each LSTM layer."""
    layers: int = 3
    """LSTM layers."""
    dropout: float = 0.1
    """Share of values dropped between layers in training."""
    lookahead_frames: int = 24
    """Zero frames that follow a file: how late the answer may come."""


class LstmCtc(nn.Module):
    """See export/net/network.py for the protocol."""

    subsampling = 3

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.config = config
        self.outputs = config.outputs
        self.lookahead_frames = config.lookahead_frames
        self.first = nn.Linear(_FIRST * config.bins, config.channels)
        self.second = nn.Linear(_SECOND * config.channels, config.hidden)
        self.norms = nn.ModuleList([nn.LayerNorm(config.hidden) for _ in range(config.layers + 1)])
        self.lstms = nn.ModuleList(
            [nn.LSTM(config.hidden, config.hidden, batch_first=True) for _ in range(config.layers)]
        )
        self.out = nn.Linear(config.hidden, config.outputs)
        self.dropout = nn.Dropout(config.dropout)

    @property
    def context_frames(self) -> int:
        """Feature frames of the past that the convolutions keep."""
        return (_FIRST - 1) + (_SECOND - self.subsampling)

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """States of one stream."""
        recurrent = (self.config.layers, self.config.hidden)
        return {
            "context": (self.context_frames, self.config.bins),
            "hidden": recurrent,
            "cell": recurrent,
        }

    def forward(
        self, features: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(batch, frames, bins) -> log-probabilities (batch, frames // 3, outputs), state.

        State: context (batch, 6, bins), hidden and cell (layers, batch, hidden).
        """
        batch = features.shape[0]
        if state is None:
            recurrent = features.new_zeros(self.config.layers, batch, self.config.hidden)
            context = features.new_zeros(batch, self.context_frames, self.config.bins)
            state = (context, recurrent, recurrent)
        context, hidden, cell = state
        x = torch.cat([context, features], dim=1)
        context = x[:, x.shape[1] - self.context_frames :]
        x = functional.relu(self.first(_splice(x, _FIRST, 1)))
        x = self.norms[0](functional.relu(self.second(_splice(x, _SECOND, self.subsampling))))
        hiddens, cells = [], []
        for i, lstm in enumerate(self.lstms):
            x, (h, c) = lstm(self.dropout(x), (hidden[i : i + 1].contiguous(), cell[i : i + 1].contiguous()))
            x = self.norms[i + 1](x)
            hiddens.append(h)
            cells.append(c)
        log_probs = functional.log_softmax(self.out(self.dropout(x)).float(), dim=-1)
        return log_probs, (context, torch.cat(hiddens), torch.cat(cells))

    def step(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One chunk of one stream: (chunk_frames, bins), states without a batch axis."""
        context, hidden, cell = states
        log_probs, (context, hidden, cell) = self.forward(
            features[None], (context[None], hidden[:, None], cell[:, None])
        )
        return log_probs[0], context[0], hidden[:, 0], cell[:, 0]


def _splice(x: Tensor, width: int, stride: int) -> Tensor:
    """Lay ``width`` neighbouring frames side by side: (batch, frames, n) -> (batch, steps, width * n)."""
    last = x.shape[1] - width
    return torch.cat([x[:, i : last + i + 1 : stride] for i in range(width)], dim=-1)
