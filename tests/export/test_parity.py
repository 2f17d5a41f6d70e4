import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch (the extra train)")

from export.parity import QUANTIZED, SAME, compare


def _answers(rows: list[list[float]]) -> np.ndarray:
    return np.log(np.array(rows, np.float32))


SAID = _answers([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])


def test_the_same_is_within_every_limit() -> None:
    difference = compare([SAID, SAID[:2]], [SAID, SAID[:2]])
    assert dataclasses.astuple(difference) == (0.0, 0.0, 0.0, 1.0, 0.0)
    assert difference.within(SAME) and difference.within(QUANTIZED)


def test_figures_are_what_their_names_say() -> None:
    other = SAID.copy()
    other[3] = np.log([0.6, 0.2, 0.2])
    difference = compare([SAID], [other])
    assert difference.max_probability == pytest.approx(0.6)
    expected = (np.log(6) + np.log(2) + np.log(4)) / 12
    assert difference.mean_log_prob == pytest.approx(expected, rel=1e-5)
    assert difference.max_log_prob == pytest.approx(np.log(6), rel=1e-5)
    assert difference.argmax_agreement == 0.75
    assert difference.phone_difference == 0.5  # "1 2" against "1"


def test_probabilities_that_no_search_looks_at_do_not_count() -> None:
    reference = _answers([[0.99989, 0.0001, 0.00001]])
    other = reference + np.array([[0, 5, -9]], np.float32)
    assert compare([reference], [other]).mean_log_prob == 0.0


def test_an_answer_that_is_no_number_is_never_within_a_limit() -> None:
    broken = SAID.copy()
    broken[1, 1] = np.nan
    assert not compare([SAID], [broken]).within(QUANTIZED)


def test_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected"):
        compare([SAID], [SAID[:3]])
