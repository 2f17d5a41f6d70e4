"""The mean of all that a layer has heard in a stream: who speaks, in which room, over which microphone.

Channels of a layer say what is heard now; their mean over seconds says what does not change. It takes the
place of the i-vectors that Kaldi appends to the features, learned with the rest, and it streams: a sum and a
count are all that is kept. It starts at zero, as if ``PRIOR`` outputs of silence had been heard.

Sources: G. Saon et al., "Speaker adaptation of neural network acoustic models using i-vectors", ASRU 2013;
W. Han et al., "ContextNet", Interspeech 2020 (the mean over time as a layer's global context).
"""

from __future__ import annotations

import torch
from torch import Tensor

PRIOR = 30.0
"""Outputs that the start counts for: 0.9 s."""


def listening(mean_every: int, layers: int) -> list[bool]:
    """Whether each of so many layers is given the mean: every so many, the last one among them; none where 0.

    Raises
    ------
    ValueError: ``mean_every`` is below 0.
    """
    if mean_every < 0:
        raise ValueError(f"mean_every must be at least 0, got {mean_every}")
    return [bool(mean_every) and (layers - 1 - i) % mean_every == 0 for i in range(layers)]


def running_mean(x: Tensor, total: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Mean up to each output and including it, in float32.

    Parameters
    ----------
    x: (batch, steps, dim).
    total: (batch, dim), sum of all outputs before.
    count: (batch, 1), how many they were.

    Returns
    -------
    (batch, steps, dim) means, (batch, dim) new sum.
    """
    sums = total.float()[:, None] + torch.cumsum(x.float(), dim=1)
    numbers = torch.arange(1, x.shape[1] + 1, dtype=torch.float32, device=x.device)
    counts = count.float() + numbers + PRIOR  # (batch, steps)
    return sums / counts[:, :, None], sums[:, -1]
