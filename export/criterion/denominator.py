"""All phone sequences, each weighed by a phone n-gram: their total, and how often each token is on the way.

Source: H. Xiang and Z. Ou, "CRF-based single-stage acoustic modeling with CTC topology", ICASSP 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from edge_asr.arrays import Float64Array
from export.criterion.blocks import chain_occupancies
from export.transfer import sent


class Denominator(nn.Module):
    """log Z of a batch, by the forward recursion in double-scaled probabilities.

    For a bigram the state is the last phone h (0: none yet) and whether it is still sounding (S) or
    followed by blanks (B). With P(q|h) the n-gram and y the network's probabilities, one frame does

        S'[q] = y[q] (sum_h (S[h] + B[h]) P(q|h) - S[q] P(q|q) + S[q])
        B'[h] = y[blank] (S[h] + B[h])

    since a phone may only be repeated after a blank, while without one it is held. A trigram keeps the
    last two phones.

    Parameters
    ----------
    ngram: from ``phone_ngram``, of order 2 or 3.
    """

    def __init__(self, ngram: Float64Array) -> None:
        super().__init__()
        if ngram.ndim not in (2, 3):
            raise ValueError(f"expected an n-gram of order 2 or 3, got {ngram.ndim}")
        full = ngram if ngram.ndim == 3 else ngram[None]
        # (histories before the last phone, last phone, next phone); the next is never the boundary.
        follow = torch.tensor(full, dtype=torch.float32).clone()
        self.register_buffer("ending", follow[:, :, 0].clone())
        follow[:, :, 0] = 0.0
        repeat = torch.diagonal(follow, dim1=1, dim2=2).clone()  # P(q | ., q): (before, q)
        self.register_buffer("follow", follow)
        self.register_buffer("repeat", repeat)
        # Of a bigram: sounding and resting phones -> the same a frame later, before anything is heard.
        keep = torch.eye(follow.shape[-1])
        held = follow[0] - torch.diag(repeat[0]) + keep
        moves = torch.cat([torch.cat([held, keep], dim=1), torch.cat([follow[0], keep], dim=1)])
        self.register_buffer("moves", moves)
        self.ending: Tensor
        self.follow: Tensor
        self.repeat: Tensor
        self.moves: Tensor

    def forward(self, log_probs: Tensor, lengths: Tensor) -> Tensor:
        """(batch, frames, tokens) and the frames of each -> log Z (batch,)."""
        if not log_probs.requires_grad:
            return self._total(log_probs, lengths).log_z
        if log_probs.is_cuda and self.follow.shape[0] == 1:
            return with_slope(log_probs, *self.block_occupancies(log_probs, lengths))
        return with_slope(log_probs, *self.occupancies(log_probs, lengths))

    @torch.no_grad()
    def occupancies(self, log_probs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """log Z (batch,), and how often each token is expected in each frame (batch, frames, tokens).

        These sum to one in every frame, are zero after an utterance's end, and are the slope of log Z. The
        backward recursion is written out, since automatic differentiation would keep and revisit every
        small product of every frame.
        """
        total = self._total(log_probs, lengths)
        weights, states = total.weights, total.states
        weights /= total.scales[:, :, None, None, None]
        each_weights, each_state = weights.unbind(), states.unbind()
        # What is to come after a state, relative to the forward scale.
        later = (self.ending / total.final[:, None, None])[:, None].expand(-1, 2, -1, -1)
        for t in range(len(each_weights) - 1, -1, -1):
            each_state[t + 1].mul_(later)
            later = self._retreat(each_weights[t] * later)
        expected = states[1:, :, 0].sum(dim=2)
        expected[:, :, 0] = states[1:, :, 1].sum(dim=(2, 3))
        expected.masked_fill_(total.over.T[:, :, None], 0.0)
        return total.log_z, expected.transpose(0, 1)

    @torch.no_grad()
    def block_occupancies(self, log_probs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`occupancies`, for a bigram alone, in few large steps (export/criterion/blocks.py)."""
        batch, frames, tokens = log_probs.shape
        best = log_probs.amax(dim=2)
        weights, over = _weights(log_probs, best, lengths)
        weights = weights.expand(-1, -1, -1, -1, tokens).permute(1, 0, 2, 3, 4).reshape(batch, frames, -1)
        start = weights.new_zeros(2 * tokens)
        start[tokens] = 1.0
        log_total, shares = chain_occupancies(self.moves, weights, start, self.ending[0].repeat(2))
        expected = shares[:, :, :tokens].clone()
        expected[:, :, 0] = shares[:, :, tokens:].sum(dim=2)
        expected.masked_fill_(over[:, :, None], 0.0)
        return log_total + best.masked_fill(over, 0.0).sum(dim=1), expected

    @torch.no_grad()
    def _total(self, log_probs: Tensor, lengths: Tensor) -> _Total:
        """The forward recursion. After an utterance's end blanks of probability one keep what is there."""
        batch, frames, tokens = log_probs.shape
        before = self.follow.shape[0]
        # Relative to the best token of each frame the numbers stay near one.
        best = log_probs.amax(dim=2)
        weights, over = _weights(log_probs, best, lengths)
        states = weights.new_zeros(frames + 1, batch, 2, before, tokens)
        states[0, :, 1, 0, 0] = 1.0
        scales = weights.new_empty(frames, batch)
        each_weights, each_state, each_scale = weights.unbind(), states.unbind(), scales.unbind()
        for t in range(frames):
            torch.mul(self._advance(each_state[t]), each_weights[t], out=each_state[t + 1])
            torch.sum(each_state[t + 1], dim=(1, 2, 3), out=each_scale[t])
            each_state[t + 1].div_(each_scale[t][:, None, None, None])
        final = (states[-1].sum(dim=1) * self.ending).sum(dim=(1, 2))
        log_z = final.log() + scales.log().sum(dim=0) + best.masked_fill(over, 0.0).sum(dim=1)
        return _Total(log_z, weights, states, scales, final, over)

    def _advance(self, state: Tensor) -> Tensor:
        """(batch, 2, before, tokens) of sounding and resting phones -> where they can be a frame later."""
        batch, _, before, tokens = state.shape
        if before == 1:
            return (state.view(batch, -1) @ self.moves).view(batch, 2, 1, tokens)
        sounding, mass = state[:, 0], state.sum(dim=1)
        again = torch.diag_embed((sounding * self.repeat).sum(dim=1))
        moved = torch.einsum("bhl,hlq->blq", mass, self.follow) - again + sounding
        return torch.stack([moved, mass], dim=1)

    def _retreat(self, heard: Tensor) -> Tensor:
        """The transpose of :meth:`_advance`."""
        batch, _, before, tokens = heard.shape
        if before == 1:
            return (heard.view(batch, -1) @ self.moves.T).view(batch, 2, 1, tokens)
        sounding, resting = heard.unbind(dim=1)
        entered = torch.einsum("blq,hlq->bhl", sounding, self.follow)
        held = torch.diagonal(sounding, dim1=1, dim2=2)[:, None]
        return torch.stack([entered + sounding - self.repeat * held + resting, entered + resting], dim=1)


def _weights(log_probs: Tensor, best: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """(frames, batch, 2, 1, tokens) of what sounds and of what rests, relative to the best token, and
    (batch, frames) whether an utterance is over: then blanks of probability one keep what is there."""
    batch, frames, tokens = log_probs.shape
    y = (log_probs - best[:, :, None]).exp().transpose(0, 1)
    over = torch.arange(frames, device=y.device) >= sent(lengths, y.device)[:, None]
    weights = y.new_empty(frames, batch, 2, 1, tokens)
    weights[:, :, 0, 0] = y
    weights[:, :, 0, 0, 0] = 0.0
    weights[:, :, 1, 0] = y[:, :, :1]
    ended = over.T[:, :, None, None, None]
    weights[:, :, 0].masked_fill_(ended[:, :, 0], 0.0)
    weights[:, :, 1].masked_fill_(ended[:, :, 0], 1.0)
    return weights, over


@dataclass(frozen=True)
class _Total:
    """What the forward recursion leaves behind."""

    log_z: Tensor
    """(batch,)."""
    weights: Tensor
    """(frames, batch, 2, 1, tokens): probability of what sounds and of what rests, relative to the best."""
    states: Tensor
    """(frames + 1, batch, 2, before, tokens): sounding and resting phones, summing to one."""
    scales: Tensor
    """(frames, batch): what they were divided by."""
    final: Tensor
    """(batch,): what of the last state may end."""
    over: Tensor
    """(batch, frames): whether the utterance has ended."""


def with_slope(log_probs: Tensor, value: Tensor, slope: Tensor) -> Tensor:
    """``value`` (batch,), which automatic differentiation takes to have ``slope`` by ``log_probs``."""
    known: Tensor = _Known.apply(log_probs, value, slope)  # type: ignore[no-untyped-call]
    return known


class _Known(torch.autograd.Function):
    """A function whose slope is computed together with its value."""

    @staticmethod
    def forward(ctx: Any, log_probs: Tensor, value: Tensor, slope: Tensor) -> Tensor:
        del log_probs
        ctx.save_for_backward(slope)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return slope * grads[0][:, None, None], None, None
