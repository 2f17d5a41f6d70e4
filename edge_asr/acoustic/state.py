"""The state of an acoustic model between two chunks: a value with names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.config import StateConfig


class State(Mapping[str, Float32Array]):
    """Read-only tensors by name (without ``_in`` and ``_out``).

    A step takes one State and returns another; the old one stays valid, so that a stream can go back
    to it. The arrays are taken over and locked, not copied.
    """

    def __init__(self, tensors: Mapping[str, Float32Array]) -> None:
        self._tensors = dict(tensors)
        for tensor in self._tensors.values():
            tensor.setflags(write=False)

    @classmethod
    def zeros(cls, states: Sequence[StateConfig]) -> State:
        """Where every stream starts."""
        return cls({state.name: np.zeros(state.shape, dtype=np.float32) for state in states})

    def __getitem__(self, name: str) -> Float32Array:
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}={tensor.shape}" for name, tensor in self.items())
        return f"State({shapes})"

    @property
    def nbytes(self) -> int:
        """Memory of all tensors."""
        return sum(tensor.nbytes for tensor in self._tensors.values())
