"""What time-delay networks share: a front, layers that each answer late, and an output for each token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.net.context import Contexts, reaches
from export.net.front import CONTEXT_FRAMES, SUBSAMPLING, front_layers, thin_out
from export.net.stream import parts, step_once, zero_states


class TimeDelayConfig(Protocol):
    """What the shared part reads of a network's settings; see the settings of each for their meaning."""

    @property
    def bins(self) -> int: ...

    @property
    def outputs(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def dim(self) -> int: ...

    @property
    def contexts(self) -> Contexts: ...

    @property
    def lookahead_frames(self) -> int: ...


class TimeDelayLayer(nn.Module):
    """One layer; see :class:`TimeDelayNetwork` for what it maps."""

    listens = False
    """Whether it is given the mean of what it has heard so far."""


class TimeDelayNetwork(nn.Module):
    """See export/net/network.py for the protocol.

    Parameters
    ----------
    layers: one a context, each maps (batch, steps, dim) after a past of (batch, left + right, dim), and what
        it has heard if its attribute ``listens`` is true, to the same, ``right`` outputs late, its new past
        and the new sum of what it has heard.
    last_norm: between the last layer and the output.
    """

    subsampling = SUBSAMPLING

    def __init__(
        self, config: TimeDelayConfig, layers: Iterable[TimeDelayLayer], last_norm: nn.Module
    ) -> None:
        super().__init__()
        self.outputs = config.outputs
        self.lookahead_frames = config.lookahead_frames
        self._bins, self._dim, self._reaches = config.bins, config.dim, reaches(config.contexts)
        self.first, self.second = front_layers(config.bins, config.channels, config.dim)
        self.front_norm = nn.LayerNorm(config.dim)
        self.layers = nn.ModuleList(layers)
        self._listening = sum(bool(layer.listens) for layer in self.layers)
        self.last_norm = last_norm
        self.out = nn.Linear(config.dim, config.outputs)

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """States of one stream."""
        shapes: dict[str, tuple[int, ...]] = {
            "context": (CONTEXT_FRAMES, self._bins),
            "pasts": (sum(self._reaches), self._dim),
        }
        if self._listening:
            shapes |= {"heard": (self._listening, self._dim), "count": (1,)}
        return shapes

    def forward(
        self, features: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(batch, frames, bins) -> log-probabilities (batch, frames // 3, outputs), state.

        State: context (batch, 6, bins), pasts (batch, left + right of all layers, dim), and of the layers
        that listen heard (batch, layers, dim), count (batch, 1).
        """
        context, together, *memory = zero_states(self, features) if state is None else state
        x, context = thin_out(features, context, self.first, self.second)
        # In bfloat16 the layers' sum would lose what each of them adds.
        x = self.front_norm(x).to(features.dtype)
        pasts = parts(together, self._reaches, dim=1)
        sums = list(torch.unbind(memory[0], dim=1)) if memory else []
        totals: list[Tensor] = []
        for i, layer in enumerate(self.layers):
            heard = (sums[len(totals)], memory[1]) if layer.listens else None
            x, pasts[i], total = layer(x, pasts[i], heard)
            if total is not None:
                totals.append(total)
        log_probs = functional.log_softmax(self.out(self.last_norm(x)).to(features.dtype), dim=-1)
        after = (torch.stack(totals, dim=1), memory[1] + x.shape[1]) if memory else ()
        return log_probs, (context, torch.cat(pasts, dim=1), *after)

    def step(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One chunk of one stream: (chunk_frames, bins), states without a batch axis."""
        return step_once(self, features, states)
