import numpy as np
import pytest

from edge_asr.acoustic.state import State
from edge_asr.config import StateConfig


def test_zeros_have_names_shapes_and_a_size() -> None:
    state = State.zeros([StateConfig(name="hidden", shape=(2, 3)), StateConfig(name="cell", shape=(5,))])
    assert list(state) == ["hidden", "cell"]
    assert state["hidden"].shape == (2, 3) and not state["hidden"].any()
    assert state.nbytes == 4 * (6 + 5)
    assert repr(state) == "State(hidden=(2, 3), cell=(5,))"


def test_a_state_cannot_be_written() -> None:
    state = State.zeros([StateConfig(name="hidden", shape=(2, 3))])
    with pytest.raises(ValueError, match="read-only"):
        state["hidden"][0, 0] = 1
    with pytest.raises(TypeError):
        state["hidden"] = np.ones((2, 3), np.float32)  # type: ignore[index]
