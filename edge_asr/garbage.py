"""Python's garbage collector, and when it is in the way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Let no cycles be searched for meanwhile; also a decorator.

    Millions of small tuples that are all still needed get searched again and again while they are made:
    half of the time that a large grammar takes to compile. Reference counting goes on. Another thread's
    pause within or across this one does no harm: the collector runs again when the first one ends.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
