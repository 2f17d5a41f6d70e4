"""Which products of a network suffer most from fewer bits: each alone, and all but each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from export.quantize.effect import Effect, Judge
from export.quantize.graph import write_forms
from export.quantize.products import Form, Product, products

Progress = Callable[[Sequence[tuple[Product, Form, bool]]], Iterator[tuple[Product, Form, bool]]]
"""What shows how far a list has been worked through, as tqdm does."""


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """One product in one form."""

    module: str
    """Which."""
    form: Form
    """int8 or int4."""
    saved_bytes: int
    """By this form."""
    alone: Effect
    """Of this product in this form, all others in float."""
    rest: Effect | None
    """Of all others in this form, or int8 where they cannot be, and this one in float; None: not measured."""


def measure_sensitivity(
    graph: Path,
    judge: Judge,
    *,
    weight_bits: int = 7,
    per_channel: bool = True,
    rest: bool = True,
    progress: Progress = iter,
) -> list[Sensitivity]:
    """Measure each product of a float graph in each form that it can take.

    Parameters
    ----------
    rest: measure all but each product too.
    """
    parts = products(onnx.load(graph))
    jobs = [
        (part, form, alone)
        for part in parts
        for form in part.forms[1:]
        for alone in ((True, False) if rest else (True,))
    ]
    effects: dict[tuple[str, Form, bool], Effect] = {}
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "one.onnx"
        for part, form, alone in progress(jobs):
            forms: dict[str, Form] = {
                other.module: _other(other, form, alone) if other is not part else form if alone else "float"
                for other in parts
            }
            write_forms(graph, path, forms, weight_bits=weight_bits, per_channel=per_channel)
            effects[part.module, form, alone] = judge.effect(path)
    return [
        Sensitivity(
            module=part.module,
            form=form,
            saved_bytes=part.size_bytes("float") - part.size_bytes(form),
            alone=effects[part.module, form, True],
            rest=effects.get((part.module, form, False)),
        )
        for part in parts
        for form in part.forms[1:]
    ]


def _other(other: Product, form: Form, alone: bool) -> Form:
    if alone:
        return "float"
    return form if form in other.forms else "int8"


def render(rows: Sequence[Sensitivity]) -> str:
    """The worst first, as a table for people: divergence in thousandths of a nat, agreement, phones."""
    head = f"{'':14}{'':6}{'saves':>10}{'alone':>30}{'all but it':>30}"
    units = f"{'product':14}{'':6}{'bytes':>10}" + 2 * f"{'mnat':>10}{'argmax':>10}{'phones':>10}"
    lines = [head, units]
    for row in sorted(rows, key=lambda row: -row.alone.divergence):
        cells = "".join(
            f"{1e3 * e.divergence:10.2f}{e.argmax_agreement:10.2%}{e.phone_difference:10.2%}" if e else ""
            for e in (row.alone, row.rest)
        )
        lines.append(f"{row.module:14}{row.form:6}{row.saved_bytes:>10,}{cells}")
    return "\n".join(lines)
