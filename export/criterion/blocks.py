"""Forward and backward recursion of a small dense chain, all blocks of its frames at once.

A recursion over hundreds of frames is thousands of tiny products one after another, which a GPU spends its
time waiting for. The products of all frames of a block are a matrix; those of all blocks and utterances are
multiplied side by side, then the states are carried from block to block, then through all blocks at once:
about three times the square root of the frames steps in place of the frames, for as many more
multiplications as there are states.

Source: the scan over an associative product, G. Blelloch, "Prefix sums and their applications", 1990.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

_RESCALE_EVERY = 4
"""Frames until a product is brought back to one: n-gram probabilities of 1e-9 apart still are numbers."""


def chain_occupancies(moves: Tensor, weights: Tensor, start: Tensor, ending: Tensor) -> tuple[Tensor, Tensor]:
    """Total weight of all state sequences, and where they are in each frame.

    A sequence starts in ``start``, moves and is weighed in each frame, and ends by ``ending``.

    Parameters
    ----------
    moves: (states, states), from row to column.
    weights: (batch, frames, states), at least one frame.
    start: (states,); ending: (states,).

    Returns
    -------
    Logarithm of the total (batch,), and the share of each state in each frame (batch, frames, states), which
    sum to one.
    """
    batch, frames, states = weights.shape
    size = math.isqrt(frames - 1) + 1
    count = -(-frames // size)
    # What is added stays in its state: a move that is none is told apart by its block's length.
    lengths = [min(size, frames - size * block) for block in range(count)]
    padded = functional.pad(weights, (0, 0, 0, size * count - frames), value=1.0)
    blocks = padded.view(batch, count, size, states)
    products, logs = _products(moves, blocks, last=lengths[-1])
    at_start, at_end, log_total = _boundaries(products, logs, start, ending)
    before, after = at_start.reshape(-1, states), at_end.reshape(-1, states)
    each = blocks.reshape(-1, size, states)
    forward = each.new_empty(size, batch * count, states)
    backward = torch.empty_like(forward)
    for k in range(size):
        before = (before @ moves) * each[:, k]
        before = torch.div(before, before.sum(dim=1, keepdim=True), out=forward[k])
    last = torch.arange(batch * count, device=each.device) % count == count - 1
    for k in range(size - 1, -1, -1):
        backward[k] = after
        earlier = (each[:, k] * after) @ moves.T
        earlier = earlier / earlier.sum(dim=1, keepdim=True)
        # The last block may be shorter: nothing happens behind its end.
        after = torch.where(last[:, None], after, earlier) if k >= lengths[-1] else earlier
    share = forward * backward
    share = share / share.sum(dim=2, keepdim=True)
    shares = share.view(size, batch, count, states).permute(1, 2, 0, 3).reshape(batch, -1, states)
    return log_total, shares[:, :frames]


def _products(moves: Tensor, blocks: Tensor, *, last: int) -> tuple[Tensor, Tensor]:
    """(batch, blocks, states, states) of all moves of each block, relative to the logarithm of their
    scale (batch, blocks); the last block has ``last`` frames."""
    batch, count, size, _ = blocks.shape
    product = moves * blocks[:, :, 0, None, :]
    logs = blocks.new_zeros(batch, count)
    kept = product
    for k in range(1, size + 1):
        if k == last:
            kept, kept_logs = product[:, -1].clone(), logs[:, -1].clone()
        if k == size:
            break
        product = (product @ moves) * blocks[:, :, k, None, :]
        if k % _RESCALE_EVERY == 0:
            most = product.amax(dim=(2, 3))
            product = product / most[:, :, None, None]
            logs = logs + most.log()
    product[:, -1], logs[:, -1] = kept, kept_logs
    return product, logs


def _boundaries(
    products: Tensor, logs: Tensor, start: Tensor, ending: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """States where each block begins, and what is to come where it ends, both (batch, blocks, states) and
    summing to one; and the logarithm of the total (batch,)."""
    batch, count, states, _ = products.shape
    begins, ends = products.new_empty(2, count, batch, 1, states)
    state = start.expand(batch, 1, states)
    scales = []
    for block in range(count):
        begins[block] = state
        state = state @ products[:, block]
        scales.append(state.sum(dim=2, keepdim=True))
        state = state / scales[-1]
    last = (state[:, 0] * ending).sum(dim=1)
    log_total = logs.sum(dim=1) + torch.cat(scales, dim=1)[:, :, 0].log().sum(dim=1) + last.log()
    later = (ending / ending.sum()).expand(batch, 1, states)
    for block in range(count - 1, -1, -1):
        ends[block] = later
        later = later @ products[:, block].transpose(1, 2)
        later = later / later.sum(dim=2, keepdim=True)
    return begins[:, :, 0].transpose(0, 1), ends[:, :, 0].transpose(0, 1), log_total
