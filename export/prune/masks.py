"""Pruning that leaves zeros where weights were: for comparison only, since engines multiply by zero too.

``unstructured`` puts the smallest weights of the whole network to zero (S. Han et al., "Learning both weights
and connections for efficient neural networks", NIPS 2015), ``2:4`` the two smallest of each four neighbours,
which some GPUs skip (A. Mishra et al., "Accelerating sparse deep neural networks", 2021). The masks are own
ones: torch.nn.utils.prune renames the weights, and a checkpoint would be none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from edge_asr.errors import UsageError
from export.batches import Batch
from export.checkpoint import Checkpoint
from export.train import Trainer

KINDS = ("unstructured", "2:4")
_FOUR, _TWO = 4, 2


def masked(network: nn.Module) -> list[str]:
    """Names of the weights that lose some: those of products."""
    return [
        f"{module_name}.{name}"
        for module_name, module in network.named_modules()
        if isinstance(module, nn.Linear | nn.LSTM)
        for name, _ in module.named_parameters(recurse=False)
        if name.startswith("weight")
    ]


def masks(kind: str, weights: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Where weights stay.

    Parameters
    ----------
    share: of the weights that go, if the kind does not say it itself.

    Raises
    ------
    UsageError: no such kind.
    """
    if kind == "2:4":
        return {name: two_of_four(tensor) for name, tensor in weights.items()}
    if kind != "unstructured":
        raise UsageError(f"unknown kind {kind!r}; known: structured, {', '.join(KINDS)}")
    sizes = torch.cat([tensor.abs().flatten() for tensor in weights.values()])
    gone = round(share * len(sizes))
    if gone < 1:
        return {name: torch.ones_like(tensor, dtype=torch.bool) for name, tensor in weights.items()}
    limit = sizes.kthvalue(gone).values
    return {name: tensor.abs() > limit for name, tensor in weights.items()}


def two_of_four(weights: Tensor) -> Tensor:
    """Of each four neighbours in a row the two largest stay: (rows, columns) -> the same; a rest stays."""
    rows, columns = weights.shape
    whole = columns - columns % _FOUR
    fours = weights[:, :whole].abs().reshape(rows, -1, _FOUR)
    stay = torch.zeros_like(fours, dtype=torch.bool)
    stay.scatter_(2, fours.topk(_TWO, dim=2).indices, True)
    mask = torch.ones_like(weights, dtype=torch.bool)
    mask[:, :whole] = stay.reshape(rows, whole)
    return mask


def sparse(checkpoint: Checkpoint, kind: str, share: float) -> Checkpoint:
    """The checkpoint with zeros for the weights that go."""
    network = checkpoint.restore()
    assert isinstance(network, nn.Module)
    names = masked(network)
    found = masks(kind, {name: checkpoint.weights[name] for name in names}, share)
    weights = {name: w * found[name] if name in found else w for name, w in checkpoint.weights.items()}
    return dataclasses.replace(checkpoint, weights=weights)


class MaskedTrainer(Trainer):
    """Trains on, and keeps those weights at zero that are zero at the start."""

    def hold(self, checkpoint: Checkpoint) -> None:
        """Take the zeros of the products of ``checkpoint`` for masks."""
        names = masked(self._network)
        self._held = {name: (checkpoint.weights[name] != 0).to(self._device) for name in names}

    def _learn(self, batch: Batch, generator: torch.Generator, epoch: int) -> Tensor:
        loss = super()._learn(batch, generator, epoch)
        with torch.no_grad():
            for network in (self._network, self._average):
                for name, weights in network.named_parameters():
                    if name in self._held:
                        weights.mul_(self._held[name])
        return loss
