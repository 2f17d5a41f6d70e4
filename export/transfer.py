"""Numbers on their way to the device that trains."""

from __future__ import annotations

import torch
from torch import Tensor


def sent(values: Tensor, device: torch.device) -> Tensor:
    """``values`` on ``device``; a GPU is not waited for.

    A copy from ordinary memory first lets the GPU finish all it was given; two dozen of them a step, and
    runs beside each other on one GPU took turns at waiting.
    """
    if device.type != "cuda" or values.device.type == "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)
