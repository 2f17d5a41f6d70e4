"""Names for the arrays that pass between stages. Shapes stand in the docstring of each function."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int16Array = NDArray[np.int16]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
AnyArray = NDArray[Any]


def native(numbers: Int32Array | Int64Array) -> NDArray[np.intp]:
    """The same integers in the width of the processor's addresses.

    On 32-bit processors ``repeat``, ``take`` and ``bincount`` refuse 64-bit numbers, which might not fit;
    those of graphs are bounded. Elsewhere nothing is copied.
    """
    return numbers.astype(np.intp, copy=False)
