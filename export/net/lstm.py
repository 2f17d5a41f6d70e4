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
from export.net.stream import parts
from export.net.widths import Widths, widths


@dataclass(frozen=True, kw_only=True)
class LstmConfig:
    """Shape of the network."""

    bins: int
    """Values in a feature frame."""
    outputs: int
    """Blank and tokens."""
    channels: int = 96
    """Outputs of the first convolution."""
    front: int = 0
    """Outputs of the second convolution; as many as the first layer has units where 0."""
    hidden: Widths = 320
    """Units of each LSTM layer: one number, or one a layer."""
    layers: int = 3
    """LSTM layers."""
    ahead: tuple[int, ...] = ()
    """Outputs that each layer looks ahead, at least 1; none where empty."""
    dropout: float = 0.1
    """Share of channels dropped between layers in training."""
    lookahead_frames: int = 24
    """Zero frames that follow a file: how late the answer may come."""

    def __post_init__(self) -> None:
        if self.front < 0:
            raise ValueError(f"front must be at least 0, got {self.front}")
        if self.ahead and len({*self.passed()}) > 1:
            raise ValueError(
                "layers that look ahead add to what they are given: front and hidden must be one number, "
                f"got {list(self.passed())}"
            )
        if self.ahead and (len(self.ahead) != self.layers or min(self.ahead) < 1):
            raise ValueError(f"ahead must hold {self.layers} numbers from 1 on, got {tuple(self.ahead)}")
        if sum(self.ahead) * SUBSAMPLING > self.lookahead_frames:
            raise ValueError(
                f"the layers look {sum(self.ahead) * SUBSAMPLING} frames ahead, more than "
                f"lookahead_frames, {self.lookahead_frames}"
            )

    def passed(self) -> tuple[int, ...]:
        """Values that the front and each layer hand on."""
        hidden = widths("hidden", self.hidden, self.layers)
        return (self.front or hidden[0], *hidden)


class LstmCtc(nn.Module):
    """See export/net/network.py for the protocol."""

    subsampling = SUBSAMPLING

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.config = config
        self.outputs = config.outputs
        self.lookahead_frames = config.lookahead_frames
        passed = config.passed()
        self._hidden = passed[1:]
        # States of like layers lie one upon the other, others side by side: sizes and axis to split them by.
        uniform = len({*self._hidden}) == 1
        self._parts: tuple[list[int], int] = ([1] * config.layers, 0) if uniform else (list(self._hidden), 2)
        self.first, self.second = front_layers(config.bins, config.channels, passed[0])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for width in passed])
        self.ahead = nn.ModuleList([nn.Linear((k + 1) * passed[0], passed[0]) for k in config.ahead])
        self.ahead_norms = nn.ModuleList([nn.LayerNorm(passed[0]) for _ in config.ahead])
        self.lstms = nn.ModuleList(
            [nn.LSTM(*shape, batch_first=True) for shape in zip(passed, self._hidden, strict=False)]
        )
        self.out = nn.Linear(passed[-1], config.outputs)
        self.drop = ChannelDropout(config.dropout)

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """States of one stream."""
        uniform = self._parts[1] == 0
        recurrent = (len(self._hidden), self._hidden[0]) if uniform else (1, sum(self._hidden))
        shapes: dict[str, tuple[int, ...]] = {"context": (CONTEXT_FRAMES, self.config.bins)}
        if self.config.ahead:
            shapes["ahead"] = (sum(self.config.ahead), self._hidden[0])
        return {**shapes, "hidden": recurrent, "cell": recurrent}

    def forward(
        self, features: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(batch, frames, bins) -> log-probabilities (batch, frames // 3, outputs), state.

        State: context (batch, 6, bins), ahead (batch, all layers' look-aheads, hidden) if there are any,
        hidden and cell (layers, batch, hidden), or (1, batch, hidden of all layers) where layers differ.
        """
        context, *waiting, hidden, cell = self._zeros(features) if state is None else state
        x, context = thin_out(features, context, self.first, self.second)
        x = self.norms[0](x)
        pasts = parts(waiting[0], self.config.ahead, dim=1) if waiting else []
        hiddens, cells = (parts(state, *self._parts) for state in (hidden, cell))
        for i, lstm in enumerate(self.lstms):
            if pasts:
                x, pasts[i] = self._look(i, x, pasts[i])
            before = (hiddens[i].contiguous(), cells[i].contiguous())
            y, (hiddens[i], cells[i]) = lstm(self.drop(x), before)
            y = self.norms[i + 1](y)
            x = x + y if pasts else y
        log_probs = functional.log_softmax(self.out(self.drop(x)).float(), dim=-1)
        ahead = [torch.cat(pasts, dim=1)] if pasts else []
        return log_probs, (
            context,
            *ahead,
            *(torch.cat(kept, dim=self._parts[1]) for kept in (hiddens, cells)),
        )

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
