"""Bits by budget: a pure choice over sizes and harms."""

from __future__ import annotations

import itertools

import pytest

pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from edge_asr.errors import UsageError
from export.quantize.budget import choose_forms
from export.quantize.products import Form, Product

PARTS = [
    Product(module=name, node=f"/{name}/MatMul", operator=operator, inputs=inputs, outputs=64)
    for name, operator, inputs in (("a", "MatMul", 128), ("b", "MatMul", 128), ("c", "LSTM", 256))
]
HARMS: dict[tuple[str, Form], float] = {
    **{("a", "int8"): 0.001, ("a", "int4"): 0.1},
    **{("b", "int8"): 0.002, ("b", "int4"): 0.003, ("c", "int8"): 0.004},
}


def _size(forms: dict[str, Form]) -> int:
    return 1000 + sum(part.size_bytes(forms[part.module]) for part in PARTS)


def _choose(budget: int, harms: dict[tuple[str, Form], float] = HARMS) -> dict[str, Form]:
    return choose_forms(PARTS, harms, other_bytes=1000, budget_bytes=budget)


def test_all_stays_in_float_where_it_fits() -> None:
    assert _choose(_size(dict.fromkeys("abc", "float"))) == dict.fromkeys("abc", "float")


def test_the_least_harm_per_byte_goes_first() -> None:
    whole = _size(dict.fromkeys("abc", "float"))
    assert _choose(whole - 1) == {"a": "int8", "b": "float", "c": "float"}
    smallest = _size({"a": "int4", "b": "int4", "c": "int8"})
    assert _choose(smallest + 4000) == {"a": "int8", "b": "int4", "c": "int8"}


@pytest.mark.parametrize("budget", range(30_000, 140_000, 9_000))
def test_every_budget_is_kept_and_none_is_wasted(budget: int) -> None:
    forms = _choose(budget)
    assert _size(forms) <= budget
    for part in PARTS:  # no product could step up
        at = part.forms.index(forms[part.module])
        assert not at or _size({**forms, part.module: part.forms[at - 1]}) > budget


def test_more_bytes_never_harm_much() -> None:
    """Greedy, not perfect: within half as much again of the best of all choices."""
    for budget in range(30_000, 140_000, 10_000):
        every = [
            dict(zip("abc", forms, strict=True))
            for forms in itertools.product(*(part.forms for part in PARTS))
            if _size(dict(zip("abc", forms, strict=True))) <= budget
        ]
        best = min(sum(HARMS.get(item, 0.0) for item in forms.items()) for forms in every)
        assert sum(HARMS.get(item, 0.0) for item in _choose(budget).items()) <= 1.5 * best + 1e-9


def test_what_may_not_change_is_left() -> None:
    without_a = {key: harm for key, harm in HARMS.items() if key[0] != "a"}
    assert _choose(_size({"a": "float", "b": "int4", "c": "int8"}), without_a)["a"] == "float"
    with pytest.raises(UsageError, match="smallest that this graph can be is"):
        _choose(_size({"a": "int8", "b": "int4", "c": "int8"}), without_a)


def test_four_bits_that_save_nothing_are_not_taken() -> None:
    """Of five inputs a block of 32 is more than five bytes."""
    part = Product(module="a", node="/a/MatMul", operator="MatMul", inputs=5, outputs=10)
    assert part.size_bytes("int4") > part.size_bytes("int8")
    budget = part.size_bytes("int8")
    assert choose_forms([part], HARMS, other_bytes=0, budget_bytes=budget) == {"a": "int8"}
