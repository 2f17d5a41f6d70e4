"""Residual time-delay network: products over a few outputs back, now and ahead, for CTC.

Each block adds to what it is given: it normalises, lays what lies ``left`` back, now and ``right`` ahead
side by side, widens, rectifies and narrows again. Causal all the same, see export/net/context.py. There is
nothing recurrent, so the blocks see as far as their contexts sum up to, and train in parallel over time.
Some blocks may also be given the mean of all that they have heard so far (export/net/mean.py), which tells
them who speaks and where.

Sources: A. Waibel et al., "Phoneme recognition using time-delay neural networks", 1989; V. Peddinti et al.,
"A time delay neural network architecture for efficient modeling of long temporal contexts", Interspeech
2015 (sparse contexts that grow); R. Xiong et al., "On layer normalization in the transformer
architecture", ICML 2020 (normalising what a block is given, not what it adds to).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.net.context import Contexts, check_contexts, taps
from export.net.dropout import ChannelDropout
from export.net.front import splice
from export.net.mean import listening, running_mean
from export.net.timedelay import TimeDelayLayer, TimeDelayNetwork
from export.net.widths import Widths, widths


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
    ff: Widths = 512
    """Rectified units of each block: one number, or one a block."""
    contexts: Contexts = ((1, 1),) * 2 + ((3, 1),) * 6 + ((3, 0),) * 2
    """Outputs that each block looks back and ahead."""
    taps: Sequence[Sequence[int]] = ()
    """Outputs that each block hears, counted from the oldest one of its context; its first, its present and
    its last one where empty."""
    mean_every: int = 0
    """Every so many blocks, the last one among them, one is given the mean so far; none where 0."""
    dropout: float = 0.1
    """Share of the channels dropped from what each block adds, in training."""
    lookahead_frames: int = 24
    """Zero frames that follow a file: how late the answer may come."""

    def __post_init__(self) -> None:
        check_contexts(self.contexts, self.lookahead_frames)
        widths("ff", self.ff, len(self.contexts))
        if self.taps and len(self.taps) != len(self.contexts):
            raise ValueError(f"taps must hold {len(self.contexts)} lists, one a block, got {len(self.taps)}")
        for kept, pair in zip(self.taps, self.contexts, strict=False):
            if not kept or list(kept) != sorted({*kept} & {*taps(*pair)}):
                raise ValueError(f"taps of context {tuple(pair)} must be of {taps(*pair)}, got {list(kept)}")
        self.listening()

    def heard(self) -> list[list[int]]:
        """The taps of each block."""
        return [list(kept) for kept in self.taps] or [taps(*pair) for pair in self.contexts]

    def listening(self) -> list[bool]:
        """Whether each block is given the mean so far."""
        return listening(self.mean_every, len(self.contexts))


class TdnnCtc(TimeDelayNetwork):
    """See export/net/network.py for the protocol."""

    def __init__(self, config: TdnnConfig) -> None:
        shapes = zip(config.contexts, config.heard(), config.listening(), strict=True)
        ff = widths("ff", config.ff, len(config.contexts))
        blocks = [
            _Block(config, left, right, ff=units, heard=heard, mean=mean)
            for units, ((left, right), heard, mean) in zip(ff, shapes, strict=True)
        ]
        super().__init__(config, blocks, nn.LayerNorm(config.dim))


class _Block(TimeDelayLayer):
    """What is added to each output, from those around it."""

    def __init__(
        self, config: TdnnConfig, left: int, right: int, *, ff: int, heard: list[int], mean: bool
    ) -> None:
        super().__init__()
        self._left, self._taps, self._unheard = left, heard, left + right - heard[-1]
        self.listens = mean
        self.norm = nn.LayerNorm(config.dim)
        self.wide = nn.Linear((len(self._taps) + mean) * config.dim, ff)
        self.narrow = nn.Linear(ff, config.dim)
        self.drop = ChannelDropout(config.dropout)
        # Small, so that the network starts as little more than its front and a delay.
        nn.init.normal_(self.narrow.weight, std=0.3 / math.sqrt(ff))
        nn.init.zeros_(self.narrow.bias)

    def forward(
        self, x: Tensor, past: Tensor, heard: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """(batch, steps, dim) after (batch, left + right, dim) -> the same, ``right`` outputs late, new past.

        ``heard`` are sum and count of what came before, if the block listens; the new sum comes back.
        """
        steps = x.shape[1]
        x = torch.cat([past, x], dim=1)
        normal = self.norm(x)
        reached = normal[:, : -self._unheard] if self._unheard else normal
        around, total = splice(reached, self._taps), None
        if heard is not None:
            mean, total = running_mean(normal[:, -steps:], *heard)
            around = torch.cat([around, mean.to(around.dtype)], dim=-1)
        added = self.narrow(functional.relu(self.wide(around)))
        return x[:, self._left : self._left + steps] + self.drop(added), x[:, steps:], total
