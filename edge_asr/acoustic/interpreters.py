"""Interpreters that only one thread at a time may use, lent to many."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Interpreters:
    """A bounded number of interpreters, the next one made when all others are in use.

    Parameters
    ----------
    make: loads one.
    limit: how many there may be; who finds all of them in use waits.
    """

    def __init__(self, make: Callable[[], Any], *, limit: int) -> None:
        self._make = make
        self._limit = limit
        self._made = 0
        self._lock = threading.Lock()
        # Last in, first out: its weights are still in the processor's cache.
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()

    @contextmanager
    def borrow(self) -> Iterator[Any]:
        """One that nobody else uses meanwhile; errors are those of ``make``."""
        interpreter = self._take()
        try:
            yield interpreter
        finally:
            self._idle.put(interpreter)

    def _take(self) -> Any:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            with self._lock:
                allowed = self._made < self._limit
                self._made += allowed
        if not allowed:
            return self._idle.get()
        try:
            return self._make()
        except BaseException:
            with self._lock:
                self._made -= 1
            raise
