"""The memory of the search: which phones each hypothesis went through, shared like a tree."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import BoolArray, Float64Array, Int32Array, Int64Array, native

NONE: Final = -1
"""Number of the record before the first."""
_COLUMNS = ("previous", "arcs", "weights", "frames", "scores", "held_until", "held_scores")


class Arena:
    """Records in order of time; each is the entry of one hypothesis into one phone state.

    Columns, each (size,) long: ``previous`` record, ``arcs`` taken, ``weights`` (what the arc cost, with
    what a language model added), ``frames`` (the first frame in the state), ``scores`` (of the
    hypothesis just before that frame), and of the record before this one ``held_until`` (the frame
    after the last one in its state) and ``held_scores`` (the score there): only the next step tells how
    long a phone was held.
    """

    def __init__(self, capacity: int) -> None:
        self.size = 0
        self._allocate(capacity)

    def _allocate(self, capacity: int) -> None:
        self.previous: Int32Array = np.empty(capacity, dtype=np.int32)
        self.arcs: Int32Array = np.empty(capacity, dtype=np.int32)
        self.weights: Float64Array = np.empty(capacity, dtype=np.float64)
        self.frames: Int32Array = np.empty(capacity, dtype=np.int32)
        self.scores: Float64Array = np.empty(capacity, dtype=np.float64)
        self.held_until: Int32Array = np.empty(capacity, dtype=np.int32)
        self.held_scores: Float64Array = np.empty(capacity, dtype=np.float64)
        self._slots: Int32Array = np.empty(capacity, dtype=np.int32)

    @property
    def nbytes(self) -> int:
        """Size of all columns in bytes."""
        return sum(int(getattr(self, name).nbytes) for name in (*_COLUMNS, "_slots"))

    @property
    def capacity(self) -> int:
        """Records that fit."""
        return self.previous.size

    def append(
        self,
        previous: Int32Array,
        arcs: Int64Array,
        weights: NDArray[np.floating],
        frame: int,
        scores: Float64Array,
        held_until: Int32Array,
        held_scores: Float64Array,
    ) -> Int32Array:
        """Add one record for each element; they must fit. Returns their numbers."""
        first, last = self.size, self.size + previous.size
        self.previous[first:last] = previous
        self.arcs[first:last] = arcs
        self.weights[first:last] = weights
        self.frames[first:last] = frame
        self.scores[first:last] = scores
        self.held_until[first:last] = held_until
        self.held_scores[first:last] = held_scores
        self.size = last
        return np.arange(first, last, dtype=np.int32)

    def chain(self, tip: int) -> Int32Array:
        """The records from the oldest to ``tip``."""
        records = []
        while tip != NONE:
            records.append(tip)
            tip = int(self.previous[tip])
        return np.array(records[::-1], dtype=np.int32)

    def passing(self, tips: Int32Array, record: int) -> BoolArray:
        """(tips,) whether each descends from ``record`` or is it."""
        found = np.zeros(tips.size, dtype=np.bool_)
        for index, tip in enumerate(tips.tolist()):
            while tip > record:  # what came before has a lower number
                tip = int(self.previous[tip])
            found[index] = tip == record
        return found

    def shared_chain(self, tips: Int32Array) -> Int32Array:
        """The records, oldest first, that every one of ``tips`` descends from or is."""
        if not tips.size or (tips == NONE).any():
            return np.empty(0, dtype=np.int32)
        live = np.flatnonzero(self._reachable(tips))
        before = self.previous[live] + 1  # slot 0 stands for NONE
        children = np.bincount(native(before), minlength=self.size + 1)
        child = np.empty(self.size + 1, dtype=np.int32)
        child[before] = live
        is_tip = np.zeros(self.size, dtype=np.bool_)
        is_tip[tips] = True
        records: list[int] = []
        slot = 0
        while children[slot] == 1:
            record = int(child[slot])
            records.append(record)
            if is_tip[record]:
                break
            slot = record + 1
        return np.array(records, dtype=np.int32)

    def descend(self, root: int) -> BoolArray:
        """(size + 1,) the records that descend from ``root`` or are it; the last one stands for ``NONE``."""
        # Each step looks twice as far back: (record) -> the record 2^k before it, or root once that is met.
        back = np.append(self.previous[: self.size], np.int32(self.size))
        back[back == NONE] = self.size
        back[root] = root
        for _ in range(self.size.bit_length()):
            back = back[back]
        found: BoolArray = back == root
        return found

    def compact(self, tips: Int32Array, *, root: int, room: int) -> Int32Array:
        """Forget every record that no tip needs, and all before ``root``. Returns the new tips.

        Afterwards ``room`` records fit. Where the survivors would fill half of the arena it grows,
        so that compaction costs a constant per record.
        """
        if root != NONE:
            self.previous[root] = NONE
        live = np.flatnonzero(self._reachable(tips))
        number = np.full(self.size + 1, NONE, dtype=np.int32)  # number[NONE] is NONE
        number[live] = np.arange(live.size, dtype=np.int32)
        columns = (
            number[self.previous[live]],
            self.arcs[live],
            self.weights[live],
            self.frames[live],
            self.scores[live],
            self.held_until[live],
            self.held_scores[live],
        )
        if 2 * (live.size + room) > self.capacity:
            self._allocate(4 * (live.size + room))
        for name, column in zip(_COLUMNS, columns, strict=True):
            getattr(self, name)[: live.size] = column
        self.size = live.size
        return number[tips]

    def _reachable(self, tips: Int32Array) -> BoolArray:
        """(size,) the records that some tip descends from or is."""
        marked = np.zeros(self.size, dtype=np.bool_)
        front = tips[tips != NONE]
        while front.size:
            # One element per record, or siblings would walk on side by side to the root.
            order = np.arange(front.size, dtype=np.int32)
            self._slots[front] = order
            front = front[self._slots[front] == order]
            marked[front] = True
            front = self.previous[front]
            front = front[front != NONE]
            front = front[~marked[front]]
        return marked
