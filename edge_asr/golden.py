"""Golden vectors as text: named arrays of hexadecimal floats, exact in Python and in C's ``strtof``.

::

    # a comment
    array features 2 3
    0x1.8p+0 -0x1.0p-3 0x0.0p+0
    0x1.0p+1 0x1.0p+2 0x1.0p+3

``array NAME LENGTH...`` opens an array; its values follow in C order, split by any white space.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.errors import BundleError


def render(arrays: Mapping[str, Float32Array], *, comment: str) -> str:
    """The text of ``arrays`` in their order, any shapes of at least one axis; one row of the last axis
    stands on one line."""
    lines = [f"# {line}" for line in comment.splitlines()]
    for name, array in arrays.items():
        lines.append(" ".join(["array", name, *map(str, array.shape)]))
        rows = array.reshape(-1, array.shape[-1])  # (..., n) -> (rows, n)
        lines.extend(" ".join(float(value).hex() for value in row) for row in rows)
    return "\n".join(lines) + "\n"


def parse(text: str, *, where: str) -> dict[str, Float32Array]:
    """Read what :func:`render` wrote.

    Raises
    ------
    BundleError: a word that is no float, an array named twice, or more or fewer values than its shape
        says.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    values: dict[str, list[float]] = {}
    open_values: list[float] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if words[0] == "array":
                name = words[1]
                if name in shapes:
                    raise ValueError(f"array {name} stands here twice")
                shapes[name] = tuple(int(word) for word in words[2:])
                open_values = values[name] = []
            elif open_values is None:
                raise ValueError("expected 'array NAME LENGTH...' before the first value")
            else:
                open_values.extend(float.fromhex(word) for word in words)
        except (ValueError, IndexError) as error:
            raise BundleError(f"{where}:{number}: not a golden vector: {error}") from error
    for name, shape in shapes.items():
        if math.prod(shape) != len(values[name]):
            raise BundleError(f"{where}: array {name} of shape {shape} has {len(values[name])} values")
    return {name: np.array(values[name], dtype=np.float32).reshape(shapes[name]) for name in shapes}
