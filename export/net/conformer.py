"""Chunked causal Conformer, for CTC.

Each block adds half a feed-forward layer, attention, a convolution and another half feed-forward layer,
then normalises. Attention goes from the outputs of one chunk to that chunk and to ``left_outputs`` before
it, whose keys and values are state; the convolution looks back only. So within its chunk, and nowhere else,
an output sees what comes after it: it waits for the chunk, not for more.

A whole file is cut into the same chunks, counted from its first frame, so ``step`` must be given exactly
``chunk_frames`` frames, three times ``chunk_outputs``. What lies before the file has keys and values of
zero and weighs by its distance alone: no mask is needed, and none is in the exported graph.

Sources: A. Gulati et al., "Conformer: convolution-augmented transformer for speech recognition",
Interspeech 2020; X. Chen et al., "Developing real-time streaming transformer transducer for speech
recognition on large-scale dataset", ICASSP 2021 (attention in chunks); C. Raffel et al., "Exploring the
limits of transfer learning with a unified text-to-text transformer", 2020 (a learned bias per head and
distance). Layer normalisation stands in the place of batch normalisation, since a stream has no batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.net.dropout import ChannelDropout
from export.net.front import CONTEXT_FRAMES, SUBSAMPLING, front_layers, thin_out
from export.net.stream import parts, step_once, zero_states
from export.net.widths import Widths, widths


@dataclass(frozen=True, kw_only=True)
class ConformerConfig:
    """Shape of the network; the defaults make 3.9 million weights."""

    bins: int
    """Values in a feature frame."""
    outputs: int
    """Blank and tokens."""
    channels: int = 96
    """Outputs of the first convolution."""
    dim: int = 144
    """Channels that the blocks add to."""
    heads: Widths = 4
    """Attention heads: one number, or one a block."""
    head_dim: int = 0
    """Channels of each head; where 0, the heads share ``dim`` equally."""
    ff: Widths = 576
    """Units of each feed-forward layer: one number, or one a layer, two a block."""
    layers: int = 8
    """Blocks."""
    kernel: int = 15
    """Outputs that the convolution sees, the present one included."""
    chunk_outputs: int = 4
    """Outputs that are computed together and see each other."""
    left_outputs: int = 32
    """Outputs before the chunk that attention sees, in each layer."""
    dropout: float = 0.1
    """Share of the channels dropped from what each part adds, in training."""
    lookahead_frames: int = 24
    """Zero frames that follow a file: how late the answer may come, beside the wait for the chunk."""

    def __post_init__(self) -> None:
        for name, least in (
            ("layers", 1),
            ("kernel", 2),
            ("chunk_outputs", 1),
            ("left_outputs", 1),
            ("head_dim", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        widths("ff", self.ff, 2 * self.layers)
        heads = widths("heads", self.heads, self.layers)
        if not self.head_dim and len({*heads}) > 1:
            raise ValueError(f"head_dim must be given where blocks differ in heads, {list(heads)}")
        if not self.head_dim and self.dim % heads[0]:
            raise ValueError(f"dim must be a multiple of heads, {heads[0]}, got {self.dim}")

    def attended(self) -> list[tuple[int, int]]:
        """Heads of each block, and the channels of each of them."""
        each = widths("heads", self.heads, self.layers)
        return [(heads, self.head_dim or self.dim // heads) for heads in each]


class ConformerCtc(nn.Module):
    """See export/net/network.py for the protocol; fulfils ``FixedChunk`` too."""

    subsampling = SUBSAMPLING

    def __init__(self, config: ConformerConfig) -> None:
        super().__init__()
        self.config = config
        self.outputs = config.outputs
        self.lookahead_frames = config.lookahead_frames
        self.chunk_frames = SUBSAMPLING * config.chunk_outputs
        self.first, self.second = front_layers(config.bins, config.channels, config.dim)
        self.front_norm = nn.LayerNorm(config.dim)
        ff = widths("ff", config.ff, 2 * config.layers)
        self.blocks = nn.ModuleList(
            [
                _Block(config, heads, head_dim, ff[2 * i : 2 * i + 2])
                for i, (heads, head_dim) in enumerate(config.attended())
            ]
        )
        self._seen = [heads * head_dim for heads, head_dim in config.attended()]
        self.out = nn.Linear(config.dim, config.outputs)

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """States of one stream."""
        config = self.config
        seen = (config.left_outputs, sum(self._seen))
        return {
            "context": (CONTEXT_FRAMES, config.bins),
            "keys": seen,
            "values": seen,
            "convolved": (config.layers, config.kernel - 1, config.dim),
        }

    def forward(
        self, features: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(batch, frames, bins) -> log-probabilities (batch, frames // 3, outputs), state.

        The last chunk is filled up with zero frames, as a stream's end is, and the state is what follows
        them: hand it on only after whole chunks. State: context (batch, 6, bins), keys and values (batch,
        left_outputs, channels of all heads of all layers), convolved (batch, layers, kernel - 1, dim).
        """
        frames = features.shape[1]
        missing = -frames % self.chunk_frames
        if missing:
            features = functional.pad(features, (0, 0, 0, missing))
        context, all_keys, all_values, convolved = zero_states(self, features) if state is None else state
        x, context = thin_out(features, context, self.first, self.second)
        # In bfloat16 the blocks' sum would lose what each of them adds.
        x = self.front_norm(x).to(features.dtype)
        keys = parts(all_keys, self._seen, dim=2)
        values = parts(all_values, self._seen, dim=2)
        pasts = list(torch.unbind(convolved, dim=1))
        for i, block in enumerate(self.blocks):
            x, keys[i], values[i], pasts[i] = block(x, keys[i], values[i], pasts[i])
        log_probs = functional.log_softmax(self.out(x).to(features.dtype), dim=-1)
        if missing:
            log_probs = log_probs[:, : frames // SUBSAMPLING]
        after = (torch.cat(keys, dim=2), torch.cat(values, dim=2), torch.stack(pasts, dim=1))
        return log_probs, (context, *after)

    def step(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One chunk of one stream: (chunk_frames, bins), states without a batch axis.

        Raises
        ------
        ValueError: more or fewer frames than ``chunk_frames``.
        """
        if features.shape[0] != self.chunk_frames:
            raise ValueError(f"expected a chunk of {self.chunk_frames} frames, got {features.shape[0]}")
        return step_once(self, features, states)


class _Block(nn.Module):
    """Half a feed-forward layer, attention, convolution, half a feed-forward layer, normalisation."""

    def __init__(self, config: ConformerConfig, heads: int, head_dim: int, ff: tuple[int, ...]) -> None:
        super().__init__()
        self.before, self.after = _FeedForward(config.dim, ff[0]), _FeedForward(config.dim, ff[1])
        self.attention = _Attention(config, heads, head_dim)
        self.convolution = _Convolution(config)
        self.norm = nn.LayerNorm(config.dim)
        self.drop = ChannelDropout(config.dropout)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, past: Tensor) -> tuple[Tensor, ...]:
        """(batch, steps, dim) and this block's states -> the same, one chunk or several later."""
        x = x + 0.5 * self.drop(self.before(x))
        attended, keys, values = self.attention(x, keys, values)
        x = x + self.drop(attended)
        convolved, past = self.convolution(x, past)
        x = x + self.drop(convolved)
        x = x + 0.5 * self.drop(self.after(x))
        return self.norm(x), keys, values, past


class _FeedForward(nn.Module):
    def __init__(self, dim: int, units: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.wide = nn.Linear(dim, units)
        self.narrow = nn.Linear(units, dim)

    def forward(self, x: Tensor) -> Tensor:
        narrow: Tensor = self.narrow(functional.silu(self.wide(self.norm(x))))
        return narrow


class _Attention(nn.Module):
    """From each chunk to itself and to the ``left_outputs`` before it."""

    _apart: Tensor

    def __init__(self, config: ConformerConfig, heads: int, head_dim: int) -> None:
        super().__init__()
        chunk, left = config.chunk_outputs, config.left_outputs
        self._heads, self._chunk, self._window = heads, chunk, left + chunk
        self._scale = 1 / math.sqrt(head_dim)
        inner = heads * head_dim
        self.products_per_output = 2 * inner * self._window
        self.norm = nn.LayerNorm(config.dim)
        self.ask = nn.Linear(config.dim, inner)
        # A bias would raise all keys alike.
        self.offer = nn.Linear(config.dim, inner, bias=False)
        self.give = nn.Linear(config.dim, inner)
        self.out = nn.Linear(inner, config.dim)
        self.distances = nn.Parameter(torch.zeros(heads, left + 2 * chunk - 1))
        apart = torch.arange(chunk)[:, None] - torch.arange(left + chunk)
        self.register_buffer("_apart", apart + self._window - 1, persistent=False)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, steps, dim), keys and values (batch, left_outputs, inner) -> the same.

        ``inner`` counts the channels of all heads.
        """
        x = self.norm(x)
        asked = self.ask(x).unflatten(1, (-1, self._chunk))
        # (batch, chunks, chunk, inner) -> (batch, chunks, heads, chunk, inner / heads)
        asked = asked.unflatten(3, (self._heads, -1)).transpose(2, 3)
        keys, offered = self._windows(keys, self.offer(x))
        values, given = self._windows(values, self.give(x))
        alike = self._scale * (asked @ offered) + self.distances[:, self._apart]
        heard = (alike.softmax(dim=-1) @ given.transpose(3, 4)).transpose(2, 3).flatten(3).flatten(1, 2)
        return self.out(heard), keys, values

    def _windows(self, past: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """The new past and (batch, chunks, heads, inner / heads, window): what each chunk's outputs see."""
        steps = x.shape[1]
        x = torch.cat([past.to(x.dtype), x], dim=1)
        windows = x.unfold(1, self._window, self._chunk)  # (batch, chunks, inner, window)
        return x[:, steps:], torch.unflatten(windows, 2, (self._heads, -1))


class _Convolution(nn.Module):
    """Gated, one kernel a channel, over the present and the past."""

    def __init__(self, config: ConformerConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.dim)
        self.gated = nn.Linear(config.dim, 2 * config.dim)
        self.depthwise = nn.Conv1d(config.dim, config.dim, config.kernel, groups=config.dim)
        self.inner_norm = nn.LayerNorm(config.dim)
        self.out = nn.Linear(config.dim, config.dim)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, steps, dim) after (batch, kernel - 1, dim) -> the same."""
        steps = x.shape[1]
        x = functional.glu(self.gated(self.norm(x)), dim=-1)
        x = torch.cat([past.to(x.dtype), x], dim=1)
        y = self.inner_norm(self.depthwise(x.transpose(1, 2)).transpose(1, 2))
        return self.out(functional.silu(y)), x[:, steps:]
