"""How well a network hears speakers that it never learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from rapidfuzz.distance import Levenshtein
from torch.nn import functional

from export.batches import Item
from export.net.network import Network
from export.score import answers, collapse


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """Figures over some utterances."""

    loss: float
    """CTC's loss per phone, natural log."""
    phone_error: float
    """Edits of the greedy path per phone."""


def hear(network: Network, items: Sequence[Item], device: torch.device) -> Hearing:
    """Listen to ``items``; those without words are left out."""
    loss, errors, phones = 0.0, 0, 0
    for item, log_probs in answers(network, [item for item in items if item.labels], device):
        labels = torch.tensor(item.labels)
        loss += float(
            functional.ctc_loss(
                torch.from_numpy(log_probs),
                labels,
                torch.tensor(len(log_probs)),
                torch.tensor(len(labels)),
                reduction="sum",
                zero_infinity=True,
            )
        )
        errors += Levenshtein.distance(collapse(log_probs.argmax(axis=1)), item.labels)
        phones += len(item.labels)
    return Hearing(loss=loss / max(1, phones), phone_error=errors / max(1, phones))
