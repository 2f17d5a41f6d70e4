"""CTC-CRF: a sequence criterion with the CTC topology, trained against all phone sequences.

The loss of an utterance is log Z - log N: N sums the paths of the right phones, as CTC does, and Z those
of all phone sequences, each weighted by a phone n-gram. Where CTC makes each frame a distribution of its
own, this makes the whole utterance one, so that the network need not spend itself on what the language
model knows: the lattice-free MMI idea in the topology that the decoder searches.

Source: H. Xiang and Z. Ou, "CRF-based single-stage acoustic modeling with CTC topology", ICASSP 2019;
D. Povey et al., "Purely sequence-trained neural networks for ASR based on lattice-free MMI",
Interspeech 2016.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_asr.arrays import Float64Array
from export.criterion.phone_lm import phone_ngram


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
        self.ending: Tensor
        self.follow: Tensor
        self.repeat: Tensor

    def forward(self, log_probs: Tensor, lengths: Tensor) -> Tensor:
        """(batch, frames, tokens) and the frames of each -> log Z (batch,)."""
        log_z: Tensor = _LogZ.apply(log_probs, lengths, self.follow, self.repeat, self.ending)  # type: ignore[no-untyped-call]
        return log_z


class _LogZ(torch.autograd.Function):
    """log Z forwards; how often each token is expected in each frame backwards, by the backward recursion.

    Written out, since automatic differentiation would keep and revisit every small product of every frame.
    After an utterance's end blanks of probability one keep what is there.
    """

    @staticmethod
    def forward(
        ctx: Any, log_probs: Tensor, lengths: Tensor, follow: Tensor, repeat: Tensor, ending: Tensor
    ) -> Tensor:
        batch, frames, tokens = log_probs.shape
        before = follow.shape[0]
        # Relative to the best token of each frame the numbers stay near one.
        best = log_probs.amax(dim=2)
        y = (log_probs - best[:, :, None]).exp()
        over = torch.arange(frames, device=y.device) >= lengths[:, None]
        y[over] = 0.0
        blank = torch.where(over, 1.0, y[:, :, 0]).transpose(0, 1).contiguous()[:, :, None, None]
        y[:, :, 0] = 0.0
        y = y.transpose(0, 1).contiguous()[:, :, None]  # (frames, batch, 1, tokens), blank left out
        sounding = y.new_zeros(frames + 1, batch, before, tokens)
        resting = torch.zeros_like(sounding)
        resting[0, :, 0, 0] = 1.0
        totals = y.new_empty(frames, batch)
        for t in range(frames):
            mass = sounding[t] + resting[t]
            held = torch.addcmul(sounding[t], sounding[t], repeat, value=-1.0)
            # sum over what lies before the last phone: (batch, before, last) -> (batch, last, next)
            if before == 1:
                moved = (mass[:, 0] @ follow[0]).unsqueeze(1) + held
            else:
                again = torch.diag_embed((sounding[t] * repeat).sum(dim=1))
                moved = torch.einsum("bhl,hlq->blq", mass, follow) - again + sounding[t]
            torch.mul(moved, y[t], out=sounding[t + 1])
            torch.mul(mass, blank[t], out=resting[t + 1])
            total = (sounding[t + 1] + resting[t + 1]).sum(dim=(1, 2))
            totals[t] = total
            scale = total.reciprocal()[:, None, None]
            sounding[t + 1] *= scale
            resting[t + 1] *= scale
        final = ((sounding[-1] + resting[-1]) * ending).sum(dim=(1, 2))
        ctx.save_for_backward(y, blank, sounding, resting, totals, follow, repeat, ending, over, final)
        return final.log() + totals.log().sum(dim=0) + best.masked_fill(over, 0.0).sum(dim=1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        y, blank, sounding, resting, totals, follow, repeat, ending, over, final = ctx.saved_tensors
        frames, batch = totals.shape
        before = follow.shape[0]
        expected = y.new_empty(frames, batch, y.shape[-1])
        # What is to come after state (h, l), sounding and resting, relative to the forward scale.
        later_s = (ending / final[:, None, None]).expand(batch, -1, -1)
        later_r = later_s
        for t in range(frames - 1, -1, -1):
            expected[t] = (sounding[t + 1] * later_s).sum(dim=1)
            expected[t, :, 0] = (resting[t + 1] * later_r).sum(dim=(1, 2))
            scale = totals[t].reciprocal()[:, None, None]
            heard = y[t] * later_s * scale
            rest = blank[t] * later_r * scale
            if before == 1:
                entered = (heard[:, 0] @ follow[0].T).unsqueeze(1)
                later_s = torch.addcmul(entered + heard + rest, repeat, heard, value=-1.0)
            else:
                entered = torch.einsum("blq,hlq->bhl", heard, follow)
                held = torch.diagonal(heard, dim1=1, dim2=2)[:, None]
                later_s = entered + heard - repeat * held + rest
            later_r = entered + rest
        expected[over.T] = 0.0
        return (expected.transpose(0, 1) * grads[0][:, None, None], None, None, None, None)


class CtcCrf(nn.Module):
    """See ``Criterion``: CTC's loss plus log Z, plus a share of CTC that keeps the answers distributions.

    The n-gram's probability of the right phones is the same for any network and is left out.
    """

    def __init__(
        self, sequences: Iterable[Sequence[int]], *, tokens: int, order: int, ctc_share: float
    ) -> None:
        super().__init__()
        self._ctc_share = ctc_share
        self._denominator = Denominator(phone_ngram(sequences, tokens=tokens, order=order))

    def forward(self, log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
        """(1 + share) * CTC + log Z, summed over the batch."""
        ctc = functional.ctc_loss(
            log_probs.transpose(0, 1), labels, lengths, label_lengths, reduction="sum", zero_infinity=True
        )
        log_z: Tensor = self._denominator(log_probs, lengths.to(log_probs.device))
        return (1 + self._ctc_share) * ctc + log_z.sum()
