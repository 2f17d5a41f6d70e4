"""What is known of an operator when a program is planned, and what a function for it must look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edge_asr.acoustic.inference.onnx_file import Node
from edge_asr.arrays import AnyArray

Kernel = Callable[..., Any]
"""Takes the arrays of all inputs (None for one left out) and gives one array, or several for several outputs.
It never writes into its inputs, keeps nothing, and so runs in many threads at once."""

MOST_ELEMENTS = 1 << 26
"""Of one array that a graph asks for by its size alone: far above any need, below what a board has."""


class UnsupportedError(ValueError):
    """An operator, or a way to use one, that the engine does not know."""


class Call:
    """One operator of a graph, as the functions that make kernels see it.

    Parameters
    ----------
    node: the operator.
    constants: array of each input, None where it is only known when it runs, or left out.
    """

    def __init__(self, node: Node, constants: tuple[AnyArray | None, ...]) -> None:
        self.node = node
        self.constants = constants
        self.held: set[int] = set()
        """Inputs that the kernel keeps itself: it gets None for them when it runs."""
        self._unread = set(node.attributes)

    def attribute(self, name: str, default: Any = None) -> Any:
        """Value of an attribute, ``default`` where the graph does not say it."""
        self._unread.discard(name)
        return self.node.attributes.get(name, default)

    def require(self, name: str, *allowed: Any) -> None:
        """Refuse an attribute that says anything but one of ``allowed``, the first of which is its default.

        Raises
        ------
        UnsupportedError: it does.
        """
        value = self.attribute(name, allowed[0])
        if value not in allowed:
            raise UnsupportedError(f"{name}={value!r} is not supported")

    def given(self, number: int) -> bool:
        """Whether the input is not left out."""
        return number < len(self.node.inputs) and bool(self.node.inputs[number])

    def constant(self, number: int) -> AnyArray | None:
        """Array of an input that is known now, else None."""
        return self.constants[number] if number < len(self.constants) else None

    def fixed(self, number: int, what: str) -> AnyArray:
        """Array of an input that must be known now and that the kernel keeps.

        Raises
        ------
        UnsupportedError: it is only known when it runs.
        """
        array = self.constant(number)
        if array is None:
            raise UnsupportedError(f"{what} must be fixed")
        self.held.add(number)
        return array

    def refuse_unread(self) -> None:
        """Nothing that a graph asks for is passed over.

        Raises
        ------
        UnsupportedError: there is an attribute that nobody asked for.
        """
        if self._unread:
            raise UnsupportedError(f"the attribute {min(self._unread)!r} is not supported")


def sizes(shape: AnyArray) -> tuple[int, ...]:
    """A shape that stands in an array.

    Raises
    ------
    UnsupportedError: it is negative or beyond ``MOST_ELEMENTS``.
    """
    numbers = tuple(int(n) for n in np.atleast_1d(shape))
    elements = 1
    for number in numbers:
        elements *= max(number, 1)
    if min(numbers, default=0) < 0 or elements > MOST_ELEMENTS:
        raise UnsupportedError(f"an array of shape {numbers} is asked for")
    return numbers
