import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.acoustic.chunking import AcousticModel, answer_frames
from edge_asr.acoustic.state import State
from edge_asr.config import AcousticConfig, StateConfig
from edge_asr.stage import Stage

BINS, OUTPUTS, SUBSAMPLING = 2, 3, 3


def _config(*, chunk_frames: int = 6, lookahead_frames: int = 4) -> AcousticConfig:
    return AcousticConfig(
        graph="none",
        chunk_frames=chunk_frames,
        subsampling=SUBSAMPLING,
        lookahead_frames=lookahead_frames,
        outputs=OUTPUTS,
        states=(StateConfig(name="sum", shape=(OUTPUTS,)),),
    )


class LeakySum:
    """A recurrent 'network' in numpy that remembers everything it ever heard."""

    bins = BINS
    weights = np.array([[1.0, -2.0, 0.5], [0.25, 1.0, -1.0]], np.float32)

    def __init__(self, config: AcousticConfig) -> None:
        self.config = config

    def initial_state(self) -> State:
        return State.zeros(self.config.states)

    def step(self, features: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        assert features.shape == (self.config.chunk_frames, BINS)
        answers, new = run_whole(features, state["sum"])
        return answers, State({"sum": new})


def run_whole(features: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    answers = []
    for i in range(0, len(features), SUBSAMPLING):
        memory = (0.9 * memory + (features[i : i + SUBSAMPLING] @ LeakySum.weights).sum(0)).astype(np.float32)
        answers.append(memory)
    return np.array(answers, np.float32).reshape(-1, OUTPUTS), memory


def whole(features: np.ndarray, config: AcousticConfig) -> np.ndarray:
    """The definition: pad frames and look-ahead with zeros to the subsampling, run once."""
    frames = len(features) + config.lookahead_frames
    padded = np.zeros((frames + -frames % SUBSAMPLING, BINS), np.float32)
    padded[: len(features)] = features
    return run_whole(padded, np.zeros(OUTPUTS, np.float32))[0]


def _features(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).normal(size=(frames, BINS)).astype(np.float32)


@given(
    parts=st.lists(st.integers(0, 14), max_size=8),
    chunks=st.integers(1, 5),
    lookahead_frames=st.integers(0, 20),
)
def test_any_split_gives_the_whole_file_exactly(parts: list[int], chunks: int, lookahead_frames: int) -> None:
    config = _config(chunk_frames=chunks * SUBSAMPLING, lookahead_frames=lookahead_frames)
    features = _features(sum(parts))
    model = AcousticModel(LeakySum(config), config)
    answers = [model.push(part) for part in np.split(features, np.cumsum(parts)[:-1])] if parts else []
    streamed = np.concatenate([*answers, model.flush()])
    expected = whole(features, config) if len(features) else np.empty((0, OUTPUTS))
    assert len(streamed) == answer_frames(len(features), config)
    np.testing.assert_array_equal(streamed, expected)


def test_answers_come_as_soon_as_a_chunk_is_whole() -> None:
    config = _config()
    model = AcousticModel(LeakySum(config), config)
    assert isinstance(model, Stage)
    assert len(model.push(_features(5))) == 0
    assert len(model.push(_features(1))) == 2
    assert len(model.push(_features(13))) == 4


def test_flush_returns_the_tail_once_and_then_only_nothing_may_follow() -> None:
    config = _config()
    model = AcousticModel(LeakySum(config), config)
    model.push(_features(7))
    assert len(model.flush()) == 2
    assert model.flush().shape == (0, OUTPUTS)
    assert model.push(_features(0)).shape == (0, OUTPUTS)
    with pytest.raises(ValueError, match="reset"):
        model.push(_features(1))


def test_reset_equals_new() -> None:
    config, features = _config(), _features(17)
    model = AcousticModel(LeakySum(config), config)
    first = np.concatenate([model.push(features), model.flush()])
    model.reset()
    np.testing.assert_array_equal(np.concatenate([model.push(features), model.flush()]), first)


def test_two_streams_of_one_engine_share_nothing() -> None:
    config, features = _config(), _features(31)
    engine = LeakySum(config)
    one, other = AcousticModel(engine, config), AcousticModel(engine, config)
    answers = []
    for start in range(0, 31, 4):
        answers.append(one.push(features[start : start + 4]))
        other.push(-features[start : start + 4])
    np.testing.assert_array_equal(np.concatenate([*answers, one.flush()]), whole(features, config))


def test_what_was_pushed_may_be_overwritten_afterwards() -> None:
    config, features = _config(), _features(10)
    model = AcousticModel(LeakySum(config), config)
    block = features.copy()
    head = model.push(block)
    block[:] = 99
    np.testing.assert_array_equal(np.concatenate([head, model.flush()]), whole(features, config))


def test_frames_of_another_width_are_refused() -> None:
    config = _config()
    with pytest.raises(ValueError, match=r"\(n, 2\), got \(4, 3\)"):
        AcousticModel(LeakySum(config), config).push(np.zeros((4, 3), np.float32))


def test_the_state_says_its_size() -> None:
    config = _config()
    assert AcousticModel(LeakySum(config), config).state_bytes == 4 * OUTPUTS
