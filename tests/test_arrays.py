"""Arrays that pass between stages."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import native


def test_numbers_get_the_width_of_addresses_and_are_copied_only_for_it() -> None:
    for dtype in (np.int32, np.int64):
        numbers = np.array([0, 3, 2], dtype=dtype)
        got = native(numbers)
        assert got.dtype == np.intp
        np.testing.assert_array_equal(got, numbers)
        assert np.shares_memory(got, numbers) == (np.dtype(dtype) == np.dtype(np.intp))
    np.testing.assert_array_equal(np.repeat([7, 8, 9], native(np.array([0, 1, 2]))), [8, 9, 9])
