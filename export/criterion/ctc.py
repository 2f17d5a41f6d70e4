"""Connectionist temporal classification (A. Graves et al., ICML 2006)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn import functional


class Ctc(nn.Module):
    """See ``Criterion``; needs nothing of the corpus, so the arguments are not used."""

    def __init__(
        self, sequences: Iterable[Sequence[int]], *, tokens: int, order: int, ctc_share: float
    ) -> None:
        super().__init__()
        del sequences, tokens, order, ctc_share

    def forward(self, log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
        """-log of the summed paths of the labels; an utterance too short for its labels counts nothing."""
        return functional.ctc_loss(
            log_probs.transpose(0, 1), labels, lengths, label_lengths, reduction="sum", zero_infinity=True
        )
