"""Write a graph whose products are int8, with ranges found as it runs or given, int4, or left in float."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from edge_asr.errors import EdgeAsrError, UsageError
from export.quantize.int4 import to_int4
from export.quantize.products import OPERATORS, Form, float_products, kept, products
from export.quantize.scope import module_of
from export.quantize.static import Ranges, fix_ranges


def quantize(
    graph: Path,
    path: Path,
    *,
    weight_bits: int = 7,
    keep_float: Collection[str] = (),
    per_channel: bool = True,
) -> dict[str, Form]:
    """Write a copy of ``graph`` with int8 weights; activations are quantized as they come.

    Parameters
    ----------
    keep_float: names of modules of the network that stay as they are.
    weight_bits: 7 keeps weights in [-64, 64], so that x86 processors without VNNI (most before 2020)
        do not saturate when they add two products in 16 bits. Measured on a tiny trained LSTM under an
        emulated Haswell: with 7 bits the same numbers to the last bit as on a VNNI machine, with 8 bits
        log-probabilities off by 0.8 on average. 8 is for ARM and newer x86 only.
    per_channel: one scale for each output of a product, in the place of one for all.

    Returns
    -------
    What became of each product, by module.

    Raises
    ------
    UsageError: the network has no product in a module that is to stay in float.
    EdgeAsrError: another product with fixed weights stayed in float, so that the graph would be neither
        small nor fast.
    """
    forms = forms_of(onnx.load(graph), "int8", keep_float=keep_float)
    write_forms(graph, path, forms, weight_bits=weight_bits, per_channel=per_channel)
    return forms


def forms_of(model: onnx.ModelProto, form: Form, *, keep_float: Collection[str] = ()) -> dict[str, Form]:
    """``form`` for every product by module, but ``float`` for what is kept; errors as :func:`kept`'s."""
    stay = {product.module for product in kept(model, keep_float)}
    return {p.module: "float" if p.module in stay else form for p in products(model)}


def write_forms(
    graph: Path,
    path: Path,
    forms: Mapping[str, Form],
    *,
    weight_bits: int = 7,
    per_channel: bool = True,
    ranges: Ranges | None = None,
) -> None:
    """Write a copy of ``graph`` with each product in the form that ``forms`` names for its module.

    Parameters
    ----------
    ranges: of what each int8 product is given (export/quantize/static.py); found anew in every step if None.

    Raises
    ------
    UsageError: a product is not named, has no such form, or a module is unknown.
    EdgeAsrError: a product stayed in float that was to be quantized.
    """
    parts = products(onnx.load(graph))
    unknown = sorted(set(forms) ^ {part.module for part in parts})
    if unknown:
        raise UsageError(f"{graph}: forms must name each product once; {unknown[0]!r} is missing or unknown")
    for part in parts:
        if forms[part.module] not in part.forms:
            raise UsageError(
                f"{part.module}: a product of kind {part.operator} can be {', '.join(part.forms)}, not "
                f"{forms[part.module]}; keep it in float with --keep-float {part.module}"
            )
    if "int8" in forms.values():
        others = [part.node for part in parts if forms[part.module] != "int8"]
        model = _dynamic(graph, others, weight_bits=weight_bits, per_channel=per_channel)
    else:
        model = onnx.load(graph)
    if ranges is not None:
        fix_ranges(model, ranges)
    to_int4(model, {part.node for part in parts if forms[part.module] == "int4"})
    asked = {module for module, form in forms.items() if form == "float"}
    left = [name for name in float_products(model) if module_of(name) not in asked]
    if left:
        raise EdgeAsrError(f"{path}: not quantized: {', '.join(left)}; onnxruntime has no kernel for it")
    onnx.save(model, path)


def _dynamic(graph: Path, others: list[str], *, weight_bits: int, per_channel: bool) -> onnx.ModelProto:
    """All products in int8 but ``others``."""
    with tempfile.TemporaryDirectory() as scratch:
        # It writes a file of its own beside its input: not where another run may do the same.
        source, made = Path(scratch) / "float.onnx", Path(scratch) / "int8.onnx"
        shutil.copyfile(graph, source)
        quantize_dynamic(
            source,
            made,
            op_types_to_quantize=list(OPERATORS),
            weight_type=QuantType.QInt8,
            per_channel=per_channel,
            reduce_range=weight_bits == 7,
            # A Gemm becomes a MatMul of this name before it is quantized.
            nodes_to_exclude=[*others, *(f"{name}_MatMul" for name in others)],
        )
        return onnx.load(made)
