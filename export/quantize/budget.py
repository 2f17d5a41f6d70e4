"""Which product gets how many bits, so that a graph fits a number of bytes and suffers little.

Starting from float, the step down (float to int8, int8 to int4) that costs the least divergence per byte
saved is taken until the graph fits; then products step up again wherever bytes are left, the most sensitive
first. Divergences of single products are added up as if they did not meet: what comes out is measured.

Source of the greedy choice by sensitivity per size: Z. Dong et al., "HAWQ-V2", NeurIPS 2020, simplified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_asr.errors import UsageError
from export.quantize.products import Form, Product


def choose_forms(
    parts: Sequence[Product],
    harms: Mapping[tuple[str, Form], float],
    *,
    other_bytes: int,
    budget_bytes: int,
) -> dict[str, Form]:
    """A form for each product, together at most ``budget_bytes``.

    Parameters
    ----------
    harms: divergence of each product (module) in each form but float, alone. Forms that are not in it are
        not used.
    other_bytes: what the graph needs besides the weights of its products.

    Raises
    ------
    UsageError: with the least that is possible.
    """
    allowed = {part.module: _steps(part, harms) for part in parts}
    by_module = {part.module: part for part in parts}
    at = dict.fromkeys(allowed, 0)

    def size(module: str, step: int) -> int:
        return by_module[module].size_bytes(allowed[module][step])

    def harm(module: str, step: int) -> float:
        return max(0.0, harms.get((module, allowed[module][step]), 0.0))

    total = other_bytes + sum(size(module, 0) for module in allowed)
    while total > budget_bytes:
        down = [module for module, steps in allowed.items() if at[module] + 1 < len(steps)]
        if not down:
            raise UsageError(
                f"the smallest that this graph can be is {total:,} bytes, got a budget of {budget_bytes:,}: "
                "allow more, keep less in float, or train a smaller network"
            )
        best = min(
            down,
            key=lambda m: (
                (harm(m, at[m] + 1) - harm(m, at[m])) / (size(m, at[m]) - size(m, at[m] + 1)),
                m,
            ),
        )
        total -= size(best, at[best]) - size(best, at[best] + 1)
        at[best] += 1
    for module in sorted(allowed, key=lambda m: (-harm(m, at[m]), m)):
        while at[module] and total + size(module, at[module] - 1) - size(module, at[module]) <= budget_bytes:
            total += size(module, at[module] - 1) - size(module, at[module])
            at[module] -= 1
    return {module: allowed[module][step] for module, step in at.items()}


def _steps(part: Product, harms: Mapping[tuple[str, Form], float]) -> list[Form]:
    """The forms to choose from, each smaller than the one before: int4 of a few inputs is no smaller."""
    steps: list[Form] = ["float"]
    for form in part.forms[1:]:
        if (part.module, form) in harms and part.size_bytes(form) < part.size_bytes(steps[-1]):
            steps.append(form)
    return steps
