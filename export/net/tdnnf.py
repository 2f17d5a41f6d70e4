"""Factorised time-delay network (TDNN-F), for CTC.

Each layer is a product of two thin matrices: a bottleneck without bias over what lies ``left`` back and
now, then an affine map over the bottleneck's outputs now and ``right`` ahead. A rectifier, normalisation,
and 0.66 of what the layer was given follow. The bottleneck is kept near semi-orthogonal while it trains,
so that all it loses is rank. Causal all the same, see export/net/context.py. Some layers may also be given
the mean of all that they have heard so far (export/net/mean.py), through a bottleneck of its own.

Two departures from the source: layer normalisation in the place of batch normalisation, since a stream has
no batch, and plain dropout of channels in the place of a continuous one.

Source: D. Povey et al., "Semi-orthogonal low-rank matrix factorization for deep neural networks",
Interspeech 2018.
"""

from __future__ import annotations

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

MAX_LOOKAHEAD_FRAMES = 30
"""Later answers than this would be felt as a pause: 300 ms at the usual frame shift."""
BYPASS = 0.66
"""Share of a layer's input in its output (section 2.5 of the paper)."""


@dataclass(frozen=True, kw_only=True)
class TdnnfConfig:
    """Shape of the network."""

    bins: int
    """Values in a feature frame."""
    outputs: int
    """Blank and tokens."""
    channels: int = 96
    """Outputs of the first convolution."""
    dim: int = 512
    """Outputs of each layer."""
    bottleneck: Widths = 128
    """Rank of each layer: one number, or one a layer."""
    contexts: Contexts = ((1, 1),) * 4 + ((3, 1),) * 4 + ((3, 0),) * 4
    """Outputs that each layer looks back and ahead."""
    mean_every: int = 0
    """Every so many layers, the last one among them, one is given the mean so far; none where 0."""
    dropout: float = 0.1
    """Share of the channels dropped from each layer in training."""
    lookahead_frames: int = 24
    """Zero frames that follow a file: how late the answer may come, at most 30."""

    def __post_init__(self) -> None:
        if self.lookahead_frames > MAX_LOOKAHEAD_FRAMES:
            raise ValueError(
                f"lookahead_frames must be at most {MAX_LOOKAHEAD_FRAMES}, got {self.lookahead_frames}"
            )
        check_contexts(self.contexts, self.lookahead_frames)
        widest = max(widths("bottleneck", self.bottleneck, len(self.contexts)))
        if widest > self.dim:
            raise ValueError(f"bottleneck must be at most dim, {self.dim}, got {widest}")
        self.listening()

    def listening(self) -> list[bool]:
        """Whether each layer is given the mean so far."""
        return listening(self.mean_every, len(self.contexts))


class TdnnfCtc(TimeDelayNetwork):
    """See export/net/network.py for the protocol; fulfils ``Constrained`` too."""

    def __init__(self, config: TdnnfConfig) -> None:
        ranks = widths("bottleneck", config.bottleneck, len(config.contexts))
        layers = [
            _Layer(config, left, right, rank, mean=mean)
            for (left, right), rank, mean in zip(config.contexts, ranks, config.listening(), strict=True)
        ]
        super().__init__(config, layers, nn.Identity())  # each layer ends in its own

    @torch.no_grad()
    def constrain(self) -> None:
        """Pull each bottleneck towards a semi-orthogonal matrix."""
        for layer in self.layers:
            assert isinstance(layer, _Layer)
            weights = layer.bottleneck.weight
            weights.copy_(nearer_to_semi_orthogonal(weights))


class _Layer(TimeDelayLayer):
    """One factorised layer with its bypass."""

    def __init__(self, config: TdnnfConfig, left: int, right: int, rank: int, *, mean: bool) -> None:
        super().__init__()
        self._left, self._back, self._ahead = left, taps(left, 0), taps(0, right)
        self.listens = mean
        self.bottleneck = nn.Linear(len(self._back) * config.dim, rank, bias=False)
        self.affine = nn.Linear((len(self._ahead) + mean) * rank, config.dim)
        self.norm = nn.LayerNorm(config.dim)
        self.drop = ChannelDropout(config.dropout)
        if mean:
            self.memory = nn.Linear(config.dim, rank, bias=False)

    def forward(
        self, x: Tensor, past: Tensor, heard: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """(batch, steps, dim) after (batch, left + right, dim) -> the same, ``right`` outputs late, new past.

        ``heard`` are sum and count of what came before, if the layer listens; the new sum comes back.
        """
        steps, total = x.shape[1], None
        together = torch.cat([past, x], dim=1)
        around = splice(self.bottleneck(splice(together, self._back)), self._ahead)
        if heard is not None:
            mean, total = running_mean(x, *heard)
            around = torch.cat([around, self.memory(mean.to(x.dtype))], dim=-1)
        y = self.norm(functional.relu(self.affine(around)))
        before = together[:, self._left : self._left + steps]
        return self.drop(y) + BYPASS * before, together[:, steps:], total


def nearer_to_semi_orthogonal(weights: Tensor) -> Tensor:
    """One step of (rows, columns), rows <= columns, towards ``M M^T`` being a multiple of the identity.

    With ``P = M M^T``, ``M <- M - 4 v / s^2 (P - s^2 I) M`` where ``s^2 = tr(P P^T) / tr(P)`` leaves the
    length of M free (sections 2.1 to 2.3 of the paper). v is 1/8 there, which converges quadratically when
    near; far away it may diverge, so that it is a half and a quarter of that while the eigenvalues are
    spread, with the thresholds of the paper's implementation (Kaldi, ``ConstrainOrthonormalInternal``).
    """
    product = weights @ weights.T
    trace, squares = product.trace(), product.square().sum()
    spread = squares * product.shape[0] / trace**2
    # No number leaves the device here: a GPU would be waited for.
    rate = torch.where(spread <= 1.02, 0.125, torch.where(spread <= 1.1, 0.0625, 0.03125))
    scale = squares / trace
    product.diagonal().sub_(scale)
    return torch.where(trace > 0, weights - 4 * rate / scale * (product @ weights), weights)
