"""Training criteria by name: what a network's answers are compared with, one a file."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from edge_asr.errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CRITERIA = {
    "ctc": "export.criterion.ctc:Ctc",
    "ctc-crf": "export.criterion.ctc_crf:CtcCrf",
}
"""Name -> import path of a class taking (phone sequences, tokens, n-gram order, share of CTC)."""


class Criterion(Protocol):
    """A loss over a batch of utterances."""

    def __call__(self, log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
        """Loss summed over the batch, a scalar.

        Parameters
        ----------
        log_probs: (batch, outputs, tokens), natural log.
        lengths: (batch,) outputs of each utterance.
        labels: (sum of label_lengths,) tokens without blanks; label_lengths: (batch,).
        """

    def to(self, device: torch.device) -> Criterion:
        """Move what it holds."""


@runtime_checkable
class Imitating(Protocol):
    """What a criterion over whole sequences may offer besides: to learn those of other networks."""

    def imitate(
        self,
        log_probs: Tensor,
        lengths: Tensor,
        labels: Tensor,
        label_lengths: Tensor,
        *,
        answers: Tensor,
        weight: float,
    ) -> Tensor:
        """``weight`` times the divergence from the teachers plus the rest times the own loss, summed.

        Parameters
        ----------
        log_probs: (batch, outputs, tokens), and the others as in ``Criterion``.
        answers: (teachers, batch, outputs, tokens), finite log-probabilities of each teacher.
        weight: from 0 to 1; with 1 the labels do not matter.
        """


def create_criterion(
    name: str, sequences: Iterable[Sequence[int]], *, tokens: int, order: int, ctc_share: float
) -> Criterion:
    """The criterion ``name``; ``sequences`` are the phones of the training utterances.

    Raises
    ------
    UsageError: no such criterion.
    """
    if name not in CRITERIA:
        raise UsageError(f"unknown criterion {name!r}; known: {', '.join(CRITERIA)}")
    module, _, noun = CRITERIA[name].partition(":")
    criterion: Criterion = getattr(importlib.import_module(module), noun)(
        sequences, tokens=tokens, order=order, ctc_share=ctc_share
    )
    return criterion
