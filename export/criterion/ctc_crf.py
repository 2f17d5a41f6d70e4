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
        batch, frames, tokens = log_probs.shape
        before = self.follow.shape[0]
        # Relative to the best token of each frame the numbers stay near one.
        best = log_probs.detach().amax(dim=2)
        y = (log_probs - best[:, :, None]).exp()
        sounding = log_probs.new_zeros(batch, before, tokens)
        resting = log_probs.new_zeros(batch, before, tokens)
        resting[:, 0, 0] = 1.0
        log_scale = log_probs.new_zeros(batch)
        for t in range(frames):
            heard = y[:, t, None, :]
            mass = sounding + resting
            # sum over what lies before the last phone: (batch, before, last) -> (batch, last, next)
            entered = torch.einsum("bhl,hlq->blq", mass, self.follow)
            held = torch.einsum("bhl,hl->bl", sounding, self.repeat)
            if before == 1:
                moved = entered.sum(dim=1, keepdim=True) - held[:, None]
            else:
                moved = entered - torch.diag_embed(held)
            new_sounding = (moved + sounding) * heard
            new_sounding[:, :, 0] = 0.0
            new_resting = mass * heard[:, :, :1]
            total = (new_sounding + new_resting).sum(dim=(1, 2)).detach()
            alive = (t < lengths)[:, None, None]
            sounding = torch.where(alive, new_sounding / total[:, None, None], sounding)
            resting = torch.where(alive, new_resting / total[:, None, None], resting)
            log_scale = log_scale + torch.where(t < lengths, total.log() + best[:, t], 0.0)
        final = ((sounding + resting) * self.ending).sum(dim=(1, 2))
        return final.log() + log_scale


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
