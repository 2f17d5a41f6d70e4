"""Products that compute with int8 numbers while a network trains, so that it learns to live with them.

What onnxruntime does to a graph (export/quantize/graph.py) is done here to the products of a network:
weights are rounded to whole numbers times one scale an output, symmetric; what a product is given is rounded
as ``DynamicQuantizeLinear`` does, to 256 steps between its smallest and its largest value, zero among them.
Gradients pass the rounding as if it were not there. Names and values of the weights stay what they are: a
checkpoint knows nothing of it.

The runtime rounds what a product is given in the few outputs of one chunk together, training sees whole
utterances. So here each row, what the product makes one output of, has a range of its own: with chunks of
one output that is the same, with longer ones a little finer than what will be heard.

Sources: B. Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", CVPR 2018 (rounding in training); Y. Bengio et al., "Estimating or propagating gradients through
stochastic neurons", 2013 (the straight-through gradient).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from edge_asr.errors import UsageError
from export.quantize.scope import belongs

if TYPE_CHECKING:
    from export.recipe import QuantizationConfig

WEIGHT_LEVELS = {7: 64, 8: 127}
"""Bits -> the largest whole number of a weight; with 7 onnxruntime uses -64 to 64."""
_STEPS = 255
"""Between the smallest and the largest value that a product is given."""


@torch.no_grad()
def round_weights(weights: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """(outputs, inputs) -> the nearest whole numbers (outputs, inputs), and their scales (outputs, 1)."""
    scale = weights.abs().amax(dim=1, keepdim=True) / WEIGHT_LEVELS[bits]
    scale = torch.where(scale > 0, scale, 1.0)
    return (weights / scale).round_(), scale


@torch.no_grad()
def round_rows(x: Tensor) -> tuple[Tensor, Tensor]:
    """(..., inputs) -> whole numbers from -255 to 255, zero for zero, and each row's scale (..., 1).

    The zero point only moves the numbers into [0, 255]: without it they are what the sums are made of.
    """
    low, high = x.amin(dim=-1, keepdim=True).float(), x.amax(dim=-1, keepdim=True).float()
    scale = (high.clamp_(min=0) - low.clamp_(max=0)) / _STEPS
    scale = torch.where(scale > 0, scale, 1.0)
    return (x / scale).round_(), scale


class _Product(torch.autograd.Function):
    """``x @ weights.T + bias`` of rounded numbers; the sums are of whole numbers, exact in bfloat16 too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, bits: int, dynamic: bool) -> Tensor:
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        whole, scale = round_weights(weight, bits)
        whole, scale = whole.to(dtype), scale[:, 0]
        rows, row_scale = round_rows(x) if dynamic else (x, None)
        rows = rows.to(dtype)
        ctx.save_for_backward(rows, row_scale, whole, scale)
        ctx.given, ctx.biased = x.dtype, bias is not None
        y = nn.functional.linear(rows, whole)
        y = y * scale if row_scale is None else (y * row_scale).mul_(scale)  # in float32
        if bias is not None:
            y += bias
        return y.to(dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, row_scale, whole, scale = ctx.saved_tensors
        dtype = rows.dtype
        to_x = ((gradient * scale).to(dtype) @ whole).to(ctx.given) if ctx.needs_input_grad[0] else None
        by_row = gradient if row_scale is None else (gradient * row_scale).to(dtype)
        to_weight = (by_row.flatten(0, -2).T @ rows.flatten(0, -2)).to(scale.dtype)
        to_bias = gradient.flatten(0, -2).sum(dim=0, dtype=scale.dtype) if ctx.biased else None
        return to_x, to_weight, to_bias, None, None


class _Rounded(torch.autograd.Function):
    """Whole numbers times their scale, in the place of a tensor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, whole: Tensor, scale: Tensor) -> Tensor:
        return (whole * scale).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return gradient, None, None


class ImitatedLinear(nn.Linear):
    """A linear layer, with the weights of ``layer``, that rounds like its int8 product while ``on``."""

    def __init__(self, layer: nn.Linear, config: QuantizationConfig) -> None:
        super().__init__(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        self.weight, self.bias = layer.weight, layer.bias
        self.on = False
        self._bits, self._dynamic = config.weight_bits, config.activations == "dynamic"

    def forward(self, input: Tensor) -> Tensor:
        """(..., in_features) -> (..., out_features)."""
        if not self.on:
            return super().forward(input)
        made: Tensor = _Product.apply(  # type: ignore[no-untyped-call]
            input, self.weight, self.bias, self._bits, self._dynamic
        )
        return made


class ImitatedLstm(nn.LSTM):
    """An LSTM layer with rounded weights and inputs while ``on``.

    What it gives itself from one step to the next is not rounded: torch computes all steps at once.
    """

    def __init__(self, layer: nn.LSTM, config: QuantizationConfig) -> None:
        super().__init__(layer.input_size, layer.hidden_size, batch_first=layer.batch_first, device="meta")
        for name, weights in layer.named_parameters():
            setattr(self, name, weights)
        self.on = False
        self._bits, self._dynamic = config.weight_bits, config.activations == "dynamic"

    def forward(  # type: ignore[override]
        self, input: Tensor, hx: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(batch, steps, input_size) and the states -> (batch, steps, hidden_size), new states."""
        if not self.on:
            made, states = super().forward(input, hx)
            return made, states
        if self._dynamic:
            input = _Rounded.apply(input, *round_rows(input))  # type: ignore[no-untyped-call]
        weights = [
            _Rounded.apply(w, *round_weights(w, self._bits)) if w.ndim == 2 else w  # type: ignore[no-untyped-call]
            for _, w in self.named_parameters()
        ]
        made, hidden, cell = torch._VF.lstm(
            input, hx, weights, True, 1, 0.0, self.training, False, self.batch_first
        )
        return made, (hidden, cell)


def imitate_int8(network: nn.Module, config: QuantizationConfig) -> list[str]:
    """Replace the products of ``network``, but those of ``keep_float``, by imitations that share its weights.

    Returns
    -------
    The names of what was replaced. All is as it was until :func:`switch`.

    Raises
    ------
    UsageError: no module has a name of ``keep_float``, an LSTM has several layers, or nothing is left.
    """
    products = {n: m for n, m in network.named_modules() if isinstance(m, (nn.Linear, nn.LSTM))}
    for name in config.keep_float:
        if not any(belongs(product, [name]) for product in products):
            raise UsageError(f"keep_float: the network has no module {name!r} with a product in it")
    chosen = {name: module for name, module in products.items() if not belongs(name, config.keep_float)}
    if not chosen:
        raise UsageError("keep_float leaves no product to be quantized")
    for name, module in chosen.items():
        if isinstance(module, nn.Linear):
            made: nn.Module = ImitatedLinear(module, config)
        elif module.num_layers > 1 or module.bidirectional or not module.bias or module.proj_size:
            raise UsageError(f"{name}: only LSTMs of one layer, one direction and with biases are quantized")
        else:
            made = ImitatedLstm(module, config)
        parent, _, last = name.rpartition(".")
        setattr(network.get_submodule(parent), last, made.train(module.training))
    return list(chosen)


def switch(network: nn.Module, *, on: bool) -> None:
    """Let all imitations in ``network`` round, or not."""
    for module in network.modules():
        if isinstance(module, (ImitatedLinear, ImitatedLstm)):
            module.on = on
