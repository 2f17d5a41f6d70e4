"""What every streaming stage is: ``push``, ``flush``, ``reset``, and how stages form a chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from edge_asr.arrays import Float32Array


@runtime_checkable
class Stage(Protocol):
    """One streaming step from arrays to arrays; time is axis 0.

    The law of every stage: ``concat(push(part) for part in parts) + flush() == whole(x)`` for any
    split of x into parts, empty ones included.
    """

    def push(self, x: Float32Array) -> Float32Array:
        """Take any number of items (zero included); return what is ready (maybe nothing)."""

    def flush(self) -> Float32Array:
        """Return the tail, once; a second call returns nothing."""

    def reset(self) -> None:
        """Forget everything: afterwards the stage equals a new one."""


class Chain:
    """Stages in a row, itself a stage. ``flush`` cascades, so that no stage's tail is lost."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        if not stages:
            raise ValueError("a chain needs at least one stage")
        self._stages = tuple(stages)

    def push(self, x: Float32Array) -> Float32Array:
        for stage in self._stages:
            x = stage.push(x)
        return x

    def flush(self) -> Float32Array:
        x = self._stages[0].flush()
        for stage in self._stages[1:]:
            pushed = stage.push(x)
            x = np.concatenate([pushed, stage.flush()])
        return x

    def reset(self) -> None:
        for stage in self._stages:
            stage.reset()
