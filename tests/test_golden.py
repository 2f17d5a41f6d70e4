import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_asr import golden
from edge_asr.errors import BundleError

FLOATS = hnp.arrays(np.float32, hnp.array_shapes(min_dims=1, max_dims=3), elements=st.floats(width=32))


@given(FLOATS, FLOATS)
def test_what_is_rendered_parses_to_the_same_bits(a: np.ndarray, b: np.ndarray) -> None:
    back = golden.parse(golden.render({"a": a, "b": b}, comment="two\nlines"), where="test")
    assert list(back) == ["a", "b"]
    for array, name in ((a, "a"), (b, "b")):
        assert back[name].dtype == np.float32
        np.testing.assert_array_equal(back[name], array)


def test_an_array_without_frames_keeps_its_width() -> None:
    text = golden.render({"empty": np.zeros((0, 5), np.float32)}, comment="")
    assert golden.parse(text, where="test")["empty"].shape == (0, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0x1p0\n", "test:1: .*before the first value"),
        ("array a 1\n0x1p0\narray a 1\n0x1p0\n", "test:3: .*twice"),
        ("array a 2\n0x1p0\n", "array a of shape .* has 1 values"),
        ("array a 1\none\n", "test:2: "),
        ("array\n", "test:1: "),
        ("array a two\n", "test:1: "),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        golden.parse(text, where="test")
