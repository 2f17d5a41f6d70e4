"""Residual time-delay network: products over a few outputs back, now and ahead, for CTC.

Each block adds to what it is given: it normalises, lays what lies ``left`` back, now and ``right`` ahead
side by side, widens, rectifies and narrows again. Causal all the same, see export/net/context.py. There is
nothing recurrent, so the blocks see as far as their contexts sum up to, and train in parallel over time.

Sources: A. Waibel et al., "Phoneme recognition using time-delay neural networks", 1989; V. Peddinti et al.,
"A time delay neural network architecture for efficient modeling of long temporal contexts", Interspeech
2015 (sparse contexts that grow); R. Xiong et al., "On layer normalization in the transformer
architecture", ICML 2020 (normalising what a block is given, not what it adds to).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.net.context import Contexts, check_contexts, reaches, taps
from export.net.dropout import ChannelDropout
from export.net.front import CONTEXT_FRAMES, SUBSAMPLING, front_layers, splice, thin_out
from export.net.stream import step_once, zero_states


@dataclass(frozen=True, kw_only=True)
class TdnnConfig:
    """Shape of the network."""

    bins: int
    """Values in a feature frame."""
    outputs: int
    """Blank and tokens."""
    channels: int = 96
    """Outputs of the first convolution."""
    dim: int = 192
    """Channels that the blocks add to."""
    ff: int = 512
    """Rectified units of each block."""
    contexts: Contexts = ((1, 1),) * 2 + ((3, 1),) * 6 + ((3, 0),) * 2
    """Outputs that each block looks back and ahead."""
    dropout: float = 0.1
    """Share of the channels dropped from what each block adds, in training."""
    lookahead_frames: int = 24
    """Zero frames that follow a file: how late the answer may come."""

    def __post_init__(self) -> None:
        check_contexts(self.contexts, self.lookahead_frames)


class TdnnCtc(nn.Module):
    """See export/net/network.py for the protocol."""

    subsampling = SUBSAMPLING

    def __init__(self, config: TdnnConfig) -> None:
        super().__init__()
        self.config = config
        self.outputs = config.outputs
        self.lookahead_frames = config.lookahead_frames
        self.first, self.second = front_layers(config.bins, config.channels, config.dim)
        self.front_norm = nn.LayerNorm(config.dim)
        self.blocks = nn.ModuleList([_Block(config, left, right) for left, right in config.contexts])
        self.last_norm = nn.LayerNorm(config.dim)
        self.out = nn.Linear(config.dim, config.outputs)

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """States of one stream."""
        return {
            "context": (CONTEXT_FRAMES, self.config.bins),
            "pasts": (sum(reaches(self.config.contexts)), self.config.dim),
        }

    def forward(
        self, features: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(batch, frames, bins) -> log-probabilities (batch, frames // 3, outputs), state.

        State: context (batch, 6, bins), pasts (batch, left + right of all blocks, dim).
        """
        context, together = zero_states(self, features) if state is None else state
        x, context = thin_out(features, context, self.first, self.second)
        # In bfloat16 the blocks' sum would lose what each of them adds.
        x = self.front_norm(x).to(features.dtype)
        pasts = list(torch.split(together, reaches(self.config.contexts), dim=1))
        for i, block in enumerate(self.blocks):
            x, pasts[i] = block(x, pasts[i])
        log_probs = functional.log_softmax(self.out(self.last_norm(x)).to(features.dtype), dim=-1)
        return log_probs, (context, torch.cat(pasts, dim=1))

    def step(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One chunk of one stream: (chunk_frames, bins), states without a batch axis."""
        return step_once(self, features, states)


class _Block(nn.Module):
    """What is added to each output, from those around it."""

    def __init__(self, config: TdnnConfig, left: int, right: int) -> None:
        super().__init__()
        self._left, self._taps = left, taps(left, right)
        self.norm = nn.LayerNorm(config.dim)
        self.wide = nn.Linear(len(self._taps) * config.dim, config.ff)
        self.narrow = nn.Linear(config.ff, config.dim)
        self.drop = ChannelDropout(config.dropout)
        # Small, so that the network starts as little more than its front and a delay.
        nn.init.normal_(self.narrow.weight, std=0.3 / math.sqrt(config.ff))
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, steps, dim) after (batch, left + right, dim) -> the same, ``right`` outputs late."""
        steps = x.shape[1]
        x = torch.cat([past, x], dim=1)
        added = self.narrow(functional.relu(self.wide(splice(self.norm(x), self._taps))))
        return x[:, self._left : self._left + steps] + self.drop(added), x[:, steps:]
