"""What each unit of a network is worth.

Sources: H. Li et al., "Pruning filters for efficient ConvNets", ICLR 2017 (norms); P. Molchanov et al.,
"Importance estimation for neural network pruning", CVPR 2019 (first-order Taylor expansion, equation 8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from edge_asr.arrays import Float64Array
from export.batches import Batch
from export.net.network import Network
from export.prune.units import Group

Worth = dict[str, Float64Array]
"""By group: (units,) what each unit is worth."""
Loss = Callable[[Tensor, Batch], Tensor]
"""Loss per output of log-probabilities (batch, outputs, tokens)."""


def magnitude(weights: Mapping[str, Tensor], groups: Sequence[Group]) -> Worth:
    """Norm of all weights of each unit, as a share of the mean of its group: layers differ in scale."""
    squares = {name: tensor.detach().double().square() for name, tensor in weights.items()}
    worth = {}
    for group in groups:
        norms = np.sqrt(_per_unit(group, squares))
        worth[group.name] = norms / max(float(norms.mean()), 1e-30)
    return worth


def taylor(network: Network, batches: Iterable[Batch], loss: Loss, groups: Sequence[Group]) -> Worth:
    """Square of the change of the loss that the unit's gradient foretells if it were cut, over batches.

    Parameters
    ----------
    batches: of training speech.

    Raises
    ------
    ValueError: no batch.
    """
    assert isinstance(network, nn.Module)
    device = next(network.parameters()).device
    named = dict(network.named_parameters())
    total = {group.name: np.zeros(group.units) for group in groups}
    count = 0
    network.eval()
    # A recurrent layer that is not training has no gradient in cuDNN.
    with torch.backends.cudnn.flags(enabled=False):
        for count, batch in enumerate(batches, start=1):  # noqa: B007
            network.zero_grad(set_to_none=True)
            log_probs, _ = network(batch.features.to(device))
            loss(log_probs.float(), batch).backward()  # type: ignore[no-untyped-call]
            products = {
                name: (w.detach() * w.grad).double().cpu() for name, w in named.items() if w.grad is not None
            }
            for group in groups:
                total[group.name] += _per_unit(group, products) ** 2
    network.zero_grad(set_to_none=True)
    if not count:
        raise ValueError("no batch to learn the units' worth from")
    return {name: worth / count for name, worth in total.items()}


def _per_unit(group: Group, values: Mapping[str, Tensor]) -> Float64Array:
    """Sum over all that belongs to each unit: (units,)."""
    total = np.zeros(group.units)
    for part in group.slices:
        tensor = values[part.weights].movedim(part.axis, 0)
        lines = tensor.reshape(len(tensor), -1).sum(dim=1)
        total += lines.cpu().numpy()[part.index].sum(axis=1)
    return total
