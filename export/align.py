"""Forced alignment: which token each output frame holds when the words are known.

Source: A. Graves et al., "Connectionist temporal classification", ICML 2006, with the maximum in the place
of the sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.utils.rnn import pad_sequence

if TYPE_CHECKING:
    from torch import Tensor

_NEVER = -1e30


def ctc_path(log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
    """The best path of each utterance through its labels, with blanks (0) between them.

    Parameters
    ----------
    log_probs: (batch, outputs, tokens), natural log.
    lengths: (batch,) outputs of each utterance.
    labels: (sum of label_lengths,) tokens without blanks; label_lengths: (batch,).

    Returns
    -------
    (batch, outputs) tokens; blank after the end. An utterance with more labels than its outputs can hold
    gets -1 throughout.
    """
    batch, frames, _ = log_probs.shape
    each = torch.split(labels, label_lengths.tolist())
    rows = pad_sequence(list(each), batch_first=True)
    # States are blank, label, blank, label ... blank.
    tokens = rows.new_zeros(batch, 2 * rows.shape[1] + 1)
    tokens[:, 1::2] = rows
    states = torch.arange(tokens.shape[1])
    last = 2 * label_lengths
    skippable = torch.zeros_like(tokens, dtype=torch.bool)
    skippable[:, 2:] = (states[2:] % 2 == 1) & (tokens[:, 2:] != tokens[:, :-2])
    heard = log_probs.gather(2, tokens[:, None].expand(-1, frames, -1))
    heard = heard.masked_fill((states > last[:, None])[:, None], _NEVER)
    score = heard.new_full(tokens.shape, _NEVER)
    score[:, :2] = heard[:, 0, :2]
    came = torch.zeros(batch, frames, tokens.shape[1], dtype=torch.int8)
    for t in range(1, frames):
        ways = score.new_full((3, *score.shape), _NEVER)
        ways[0] = score
        ways[1, :, 1:] = score[:, :-1]
        ways[2, :, 2:] = score[:, :-2].masked_fill(~skippable[:, 2:], _NEVER)
        best, way = ways.max(dim=0)
        alive = (t < lengths)[:, None]
        score = torch.where(alive, best + heard[:, t], score)
        came[:, t] = torch.where(alive, way, 0)
    rank = torch.arange(batch)
    before_last = (last - 1).clamp(min=0)
    state = torch.where(score[rank, last] >= score[rank, before_last], last, before_last)
    reached = score[rank, state] > _NEVER / 2
    path = torch.zeros(batch, frames, dtype=torch.long)
    for t in range(frames - 1, -1, -1):
        path[:, t] = torch.where(t < lengths, tokens[rank, state], 0)
        state = state - came[rank, t, state]
    path[~reached] = -1
    return path
