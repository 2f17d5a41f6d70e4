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

from torch import Tensor, nn
from torch.nn import functional

from export.criterion.denominator import Denominator
from export.criterion.path_divergence import path_divergence
from export.criterion.phone_lm import phone_ngram


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
        log_z: Tensor = self._denominator(log_probs, lengths)
        return self._loss(log_z.sum(), log_probs, lengths, labels, label_lengths)

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
        """See ``Imitating``: all paths are weighed by the same n-gram for the teachers and the student."""
        log_z, divergence = path_divergence(self._denominator, log_probs, lengths, answers)
        if weight == 1:
            return divergence.sum()
        loss = self._loss(log_z.sum(), log_probs, lengths, labels, label_lengths)
        return weight * divergence.sum() + (1 - weight) * loss

    def _loss(
        self, log_z: Tensor, log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor
    ) -> Tensor:
        ctc = functional.ctc_loss(
            log_probs.transpose(0, 1), labels, lengths, label_lengths, reduction="sum", zero_infinity=True
        )
        return (1 + self._ctc_share) * ctc + log_z
