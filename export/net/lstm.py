"""Unidirectional LSTM over subsampled features, for CTC.

Convolutions thin the frames out to a third (export/net/front.py), then LSTM layers with layer
normalisation between them. Before each LSTM a convolution may look ahead; then the layer adds to what it
is given instead of replacing it. Causal all the same: to look ahead is to answer late, by the look-aheads
of all layers and by as much as training finds useful besides, at most ``lookahead_frames``.

Sources: S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997; A. Graves et al.,
"Connectionist temporal classification", ICML 2006; D. Amodei et al., "Deep Speech 2", 2015 (look-ahead
convolution); K. He et al., "Deep residual learning", 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.net.dropout import ChannelDropout
from export.net.front import CONTEXT_FRAMES, SUBSAMPLING, front_layers, splice, thin_out


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
    ahead: tuple[int, ...] = ()
    """Outputs that each layer looks ahead, at least 1; none where empty."""
    dropout: float = 0.1
    """Share of channels dropped between layers in training."""
    lookahead_frames: int = 24
    """Zero frames that follow a file: how late the answer may come."""

    def __post_init__(self) -> None:
        if self.ahead and (len(self.ahead) != self.layers or min(self.ahead) < 1):
            raise ValueError(f"ahead must hold {self.layers} numbers from 1 on, got {tuple(self.ahead)}")
        if sum(self.ahead) * SUBSAMPLING > self.lookahead_frames:
            raise ValueError(
                f"the layers look {sum(self.ahead) * SUBSAMPLING} frames ahead, more than "
                f"lookahead_frames, {self.lookahead_frames}"
            )


class LstmCtc(nn.Module):
    """See export/net/network.py for the protocol."""

    subsampling = SUBSAMPLING

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.config = config
        self.outputs = config.outputs
        self.lookahead_frames = config.lookahead_frames
        hidden = config.hidden
        self.first, self.second = front_layers(config.bins, config.channels, hidden)
        self.norms = nn.ModuleList([nn.LayerNorm(hidden) for _ in range(config.layers + 1)])
        self.ahead = nn.ModuleList([nn.Linear((k + 1) * hidden, hidden) for k in config.ahead])
        self.ahead_norms = nn.ModuleList([nn.LayerNorm(hidden) for _ in config.ahead])
        self.lstms = nn.ModuleList([nn.LSTM(hidden, hidden, batch_first=True) for _ in range(config.layers)])
        self.out = nn.Linear(hidden, config.outputs)
        self.drop = ChannelDropout(config.dropout)

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """States of one stream."""
        recurrent = (self.config.layers, self.config.hidden)
        shapes: dict[str, tuple[int, ...]] = {"context": (CONTEXT_FRAMES, self.config.bins)}
        if self.config.ahead:
            shapes["ahead"] = (sum(self.config.ahead), self.config.hidden)
        return {**shapes, "hidden": recurrent, "cell": recurrent}

    def forward(
        self, features: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(batch, frames, bins) -> log-probabilities (batch, frames // 3, outputs), state.

        State: context (batch, 6, bins), ahead (batch, all layers' look-aheads, hidden) if there are any,
        hidden and cell (layers, batch, hidden).
        """
        context, *waiting, hidden, cell = self._zeros(features) if state is None else state
        x, context = thin_out(features, context, self.first, self.second)
        x = self.norms[0](x)
        pasts = list(torch.split(waiting[0], list(self.config.ahead), dim=1)) if waiting else []
        hiddens, cells = [], []
        for i, lstm in enumerate(self.lstms):
            if pasts:
                x, pasts[i] = self._look(i, x, pasts[i])
            y, (h, c) = lstm(self.drop(x), (hidden[i : i + 1].contiguous(), cell[i : i + 1].contiguous()))
            y = self.norms[i + 1](y)
            x = x + y if pasts else y
            hiddens.append(h)
            cells.append(c)
        log_probs = functional.log_softmax(self.out(self.drop(x)).float(), dim=-1)
        ahead = [torch.cat(pasts, dim=1)] if pasts else []
        return log_probs, (context, *ahead, torch.cat(hiddens), torch.cat(cells))

    def step(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One chunk of one stream: (chunk_frames, bins), states without a batch axis."""
        *before, hidden, cell = states
        log_probs, (*after, hidden, cell) = self.forward(
            features[None], (*(s[None] for s in before), hidden[:, None], cell[:, None])
        )
        return log_probs[0], *(s[0] for s in after), hidden[:, 0], cell[:, 0]

    def _zeros(self, features: Tensor) -> tuple[Tensor, ...]:
        """The states at the start of a batch of files."""
        batch = features.shape[0]
        return tuple(
            features.new_zeros((shape[0], batch, shape[1]) if name in ("hidden", "cell") else (batch, *shape))
            for name, shape in self.state_shapes().items()
        )

    def _look(self, i: int, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """What layer ``i`` sees around the outputs that lie its look-ahead back, and the new past."""
        ahead = self.config.ahead[i]
        steps = x.shape[1]
        x = torch.cat([past.to(x.dtype), x], dim=1)
        around = functional.relu(self.ahead[i](splice(x, range(ahead + 1))))
        return self.ahead_norms[i](around + x[:, :steps]), x[:, steps:]
