"""What a network costs: multiplications per second of audio, and bytes of its weights in int8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from export.net import create_network

_PER_FRAME = "first"
"""The product that is done for each feature frame; all others are once an output (export/net/front.py)."""
_LEFT_FLOAT = ("first.weight", "second.weight")
"""Products that ``python -m export convert`` leaves in float32 unless it is told otherwise."""


@runtime_checkable
class Mixing(Protocol):
    """A module that multiplies what it is given with each other, as attention does."""

    @property
    def products_per_output(self) -> int:
        """How many such multiplications an output takes."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a network costs."""

    weights: int
    """Numbers that it learned."""
    int8_bytes: int
    """Bytes of the weights in the int8 graph: products in int8 with their scales and zeros, the rest in
    float32."""
    macs_per_second: float
    """Multiplications of products per second of audio, as a stream; what is done unit by unit is left out."""

    def of(self, measure: str) -> float:
        """``macs`` or ``bytes``."""
        return self.macs_per_second if measure == "macs" else self.int8_bytes


def cost(network: str, config: dict[str, Any], *, frame_shift_ms: float) -> Cost:
    """The cost of a network of this configuration."""
    with _Unset():
        made = create_network(network, config)
    assert isinstance(made, nn.Module)
    frames_per_second = 1000 / frame_shift_ms
    per_frame = per_output = 0
    for name, module in made.named_modules():
        products = sum(w.numel() for w in _products(module))
        if name == _PER_FRAME:
            per_frame += products
        else:
            per_output += products
        if isinstance(module, Mixing):
            per_output += module.products_per_output
    return Cost(
        weights=sum(w.numel() for w in made.parameters()),
        int8_bytes=_int8_bytes(made),
        macs_per_second=frames_per_second * (per_frame + per_output / made.subsampling),
    )


class _Unset(TorchFunctionMode):
    """Networks made under it have weights that were never set: ten times as quick, and nothing is drawn.

    The device "meta" would do the same, but its first tensor imports packages for many seconds.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def _products(module: nn.Module) -> list[Tensor]:
    """Weights that are multiplied with what comes in, each once."""
    if isinstance(module, nn.LSTM):
        return [w for name, w in module.named_parameters(recurse=False) if name.startswith("weight")]
    return [module.weight] if isinstance(module, nn.Linear | nn.Conv1d) else []


def _int8_bytes(network: nn.Module) -> int:
    total = sum(4 * w.numel() for w in network.parameters())
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv1d):  # stays in float: one kernel a channel
            continue
        for w in _products(module):
            if f"{name}.weight" not in _LEFT_FLOAT:
                # onnxruntime gives an LSTM one scale a matrix.
                scales = 1 if isinstance(module, nn.LSTM) else w.shape[0]
                total += 5 * scales - 3 * w.numel()
    return total
