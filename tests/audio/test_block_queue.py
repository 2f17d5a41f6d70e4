import threading
import time
from queue import Empty

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.audio.block_queue import BlockQueue


def samples(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_blocks_come_out_in_order_and_a_close_lets_the_rest_be_read() -> None:
    queue = BlockQueue(100)
    queue.put(samples(1, 2))
    queue.put(samples(3))
    queue.close()
    queue.put(samples(4))
    first, second, end = queue.get(timeout_s=0), queue.get(timeout_s=0), queue.get(timeout_s=0)
    assert first is not None
    assert second is not None
    assert first.samples.tolist() == [1, 2]
    assert second.samples.tolist() == [3]
    assert end is None
    assert queue.get(timeout_s=0) is None


def test_nothing_yet_is_not_the_end() -> None:
    with pytest.raises(Empty):
        BlockQueue(100).get(timeout_s=0.01)


def test_overflow_is_counted_on_the_next_block_that_fits() -> None:
    queue = BlockQueue(4)
    queue.put(samples(1, 2))
    queue.put(samples(3, 4))
    queue.put(samples(5, 6))
    queue.put(samples(7))
    for expected in ([1, 2], [3, 4]):
        block = queue.get(timeout_s=0)
        assert block is not None
        assert (block.samples.tolist(), block.dropped_samples) == (expected, 0)
    queue.put(samples(8, 9), dropped_samples=10)
    block = queue.get(timeout_s=0)
    assert block is not None
    assert (block.samples.tolist(), block.dropped_samples) == ([8, 9], 13)


def test_a_loss_at_the_very_end_is_reported_too() -> None:
    queue = BlockQueue(1)
    queue.put(samples(1, 2))
    queue.close()
    block = queue.get(timeout_s=0)
    assert block is not None
    assert (block.samples.shape, block.samples.dtype, block.dropped_samples) == ((0,), np.float32, 2)
    assert queue.get(timeout_s=0) is None


@settings(deadline=None)
@given(st.lists(st.one_of(st.integers(0, 5), st.none()), max_size=60), st.integers(1, 12))
def test_samples_and_losses_add_up_to_the_clock(steps: list[int | None], capacity: int) -> None:
    """A step is a put of so many samples, or (None) a get. Each sample holds its own time."""
    queue = BlockQueue(capacity)
    clock = heard = 0
    held: list[int] = []

    def read() -> bool:
        nonlocal heard
        block = queue.get(timeout_s=0)
        if block is None:
            return False
        heard += block.dropped_samples
        assert block.samples.tolist() == list(range(heard, heard + block.samples.size))
        heard += block.samples.size
        return True

    for step in steps:
        if step is not None:
            if sum(held) + step <= capacity:
                held.append(step)
            queue.put(np.arange(clock, clock + step, dtype=np.float32))
            clock += step
        elif held:
            assert read()
            held.pop(0)
    queue.close()
    while read():
        pass
    assert heard == clock


def test_a_waiting_reader_is_woken_by_a_block_and_by_the_end() -> None:
    queue = BlockQueue(100)
    got: list[object] = []
    reader = threading.Thread(target=lambda: got.extend(queue.get(timeout_s=30) for _ in range(2)))
    began_s = time.monotonic()
    reader.start()
    queue.put(samples(1))
    queue.close()
    reader.join(timeout=20)
    assert not reader.is_alive()
    assert time.monotonic() - began_s < 10
    assert got[0] is not None
    assert got[1] is None
