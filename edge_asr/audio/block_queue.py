"""Between the audio callback, which must never wait, and the reader, which may be late."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from queue import Empty
from threading import Condition

import numpy as np

from edge_asr.arrays import Float32Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """What a device delivered."""

    samples: Float32Array
    """(n,) mono; empty only in a last block that reports a loss."""
    dropped_samples: int = 0
    """How many samples were lost right before these."""


class BlockQueue:
    """Bounded queue of blocks, for one writer and one reader, each on its own thread.

    A block that does not fit is dropped whole, and the next one that fits says how much was lost before it:
    samples and losses, added up, are always the device's clock.
    """

    def __init__(self, capacity_samples: int) -> None:
        self.capacity_samples = capacity_samples
        self._blocks: deque[Block] = deque()
        self._held_samples = 0
        self._dropped_samples = 0
        self._closed = False
        self._changed = Condition()

    def put(self, samples: Float32Array, *, dropped_samples: int = 0) -> None:
        """Append samples (n,), which the queue keeps, or drop them where it is full. Never waits.

        ``dropped_samples`` were lost before these, on the device's side. After ``close``: no effect.
        """
        with self._changed:
            if self._closed:
                return
            self._dropped_samples += dropped_samples
            if self._held_samples + samples.size > self.capacity_samples:
                self._dropped_samples += samples.size
                return
            self._blocks.append(Block(samples=samples, dropped_samples=self._dropped_samples))
            self._held_samples += samples.size
            self._dropped_samples = 0
            self._changed.notify()

    def get(self, *, timeout_s: float) -> Block | None:
        """Return the oldest block, waiting for one if need be; None when closed and read to the end.

        Raises
        ------
        queue.Empty: nothing came within ``timeout_s``.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._blocks or self._closed, timeout_s):
                raise Empty
            if self._blocks:
                block = self._blocks.popleft()
                self._held_samples -= block.samples.size
                return block
            if self._dropped_samples:
                lost, self._dropped_samples = self._dropped_samples, 0
                return Block(samples=np.empty(0, dtype=np.float32), dropped_samples=lost)
            return None

    def close(self) -> None:
        """Take no more blocks; those within can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
