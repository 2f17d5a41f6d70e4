from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.vad.segmenter import End, Segmenter, SegmenterConfig, Start

# In frames of 20 ms: opens at 3 of 5, pre-roll 4, closes after 10 of silence, at the most 50 long.
CONFIG = SegmenterConfig(
    min_speech_ms=60, trigger_window_ms=100, pre_roll_ms=80, end_silence_ms=200, max_speech_s=1.0
)


def decide(*runs: tuple[int, float], config: SegmenterConfig = CONFIG) -> list[Start | End]:
    """Decisions on runs of (frames, probability)."""
    return Segmenter(config).push([p for count, p in runs for _ in range(count)])


def test_one_utterance() -> None:
    assert decide((20, 0.0), (15, 1.0), (30, 0.0)) == [Start(16), End(45, "silence")]


def test_silence_says_nothing() -> None:
    assert decide((500, 0.0)) == []
    assert decide((500, 0.49)) == []


def test_the_threshold_is_speech() -> None:
    assert decide((20, 0.0), (15, 0.5), (30, 0.0)) == [Start(16), End(45, "silence")]


def test_a_click_opens_nothing() -> None:
    assert decide((20, 0.0), (2, 1.0), (30, 0.0), (2, 1.0), (30, 0.0)) == []


def test_speech_with_holes_opens_from_its_first_frame() -> None:
    assert decide((20, 0.0), (1, 1.0), (1, 0.0), (1, 1.0), (1, 0.0), (1, 1.0), (10, 0.0)) == [
        Start(16),
        End(35, "silence"),
    ]


def test_the_pre_roll_stops_at_the_start_of_the_stream() -> None:
    assert decide((2, 0.0), (5, 1.0)) == [Start(0)]


def test_the_pre_roll_stops_at_the_last_segment() -> None:
    assert decide((10, 1.0), (11, 0.0), (5, 1.0)) == [Start(0), End(20, "silence"), Start(20)]


def test_a_pause_shorter_than_the_end_silence_stays_inside() -> None:
    assert decide((10, 1.0), (9, 0.0), (10, 1.0), (10, 0.0)) == [Start(0), End(39, "silence")]


def test_a_pause_as_long_as_the_end_silence_divides() -> None:
    assert decide((10, 1.0), (10, 0.0), (10, 1.0)) == [Start(0), End(20, "silence"), Start(20)]


def test_a_click_does_not_keep_a_segment_open() -> None:
    assert decide((10, 1.0), (6, 0.0), (1, 1.0), (5, 0.0)) == [Start(0), End(22, "silence")]


def test_a_short_burst_right_after_speech_counts() -> None:
    """The release of a final stop, after its closure."""
    assert decide((10, 1.0), (2, 0.0), (1, 1.0), (10, 0.0)) == [Start(0), End(23, "silence")]


def test_too_long_goes_on_where_it_stopped() -> None:
    assert decide((120, 1.0), (10, 0.0)) == [
        Start(0),
        End(50, "too_long"),
        Start(50),
        End(100, "too_long"),
        Start(100),
        End(130, "silence"),
    ]


@pytest.mark.parametrize("pause", range(9))
def test_a_pause_over_the_cut_loses_nothing(pause: int) -> None:
    decisions = decide((49, 1.0), (1 + pause, 0.0), (20, 1.0))
    assert decisions[:3] == [Start(0), End(50, "too_long"), Start(50)]


def test_a_single_frame_of_speech_after_the_cut_is_kept() -> None:
    assert decide((51, 1.0), (10, 0.0)) == [Start(0), End(50, "too_long"), Start(50), End(61, "silence")]


def test_silence_after_the_cut_opens_nothing() -> None:
    assert decide((50, 1.0), (40, 0.0), (10, 1.0)) == [Start(0), End(50, "too_long"), Start(86)]


def test_silence_wins_where_both_would_end() -> None:
    assert decide((40, 1.0), (10, 0.0)) == [Start(0), End(50, "silence")]


PROBABILITIES = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([0.0, 0.3, 0.5, 1.0])), max_size=25
).map(lambda runs: [p for count, p in runs for _ in range(count)])


@given(PROBABILITIES, st.lists(st.integers(0, 400), max_size=10))
def test_streamed_is_whole_and_reset_is_new(probabilities: list[float], cuts: list[int]) -> None:
    whole = Segmenter(CONFIG).push(probabilities)
    segmenter = Segmenter(CONFIG)
    segmenter.push([1.0] * 30)
    segmenter.reset()
    streamed: list[Start | End] = []
    edges = sorted([0, *(min(cut, len(probabilities)) for cut in cuts), len(probabilities)])
    for begin, end in pairwise(edges):
        streamed += segmenter.push(probabilities[begin:end])
    assert streamed == whole


@given(PROBABILITIES)
def test_what_always_holds(probabilities: list[float]) -> None:
    segmenter = Segmenter(CONFIG)
    last_end = 0
    start: int | None = None
    for now, probability in enumerate(probabilities, start=1):
        for decision in segmenter.push([probability]):
            match decision:
                case Start(frame):
                    assert start is None
                    assert last_end <= frame < now
                    assert now - 1 - frame <= segmenter.lookback_frames
                    start = frame
                case End(frame, reason):
                    assert start is not None
                    assert frame == now
                    assert frame - start <= 50
                    assert (frame - start == 50) or reason == "silence"
                    last_end, start = frame, None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 0.0),
        ("threshold", 1.5),
        ("min_speech_ms", 0),
        ("min_speech_ms", 500),
        ("pre_roll_ms", -1),
        ("end_silence_ms", 0),
        ("max_speech_s", 0.5),
    ],
)
def test_impossible_settings_are_named(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        SegmenterConfig(**{field: value})


def test_defaults() -> None:
    config = SegmenterConfig()
    assert (config.pre_roll_ms, config.end_silence_ms, config.max_speech_s) == (400, 700, 20.0)
    assert Segmenter(config).lookback_frames == 45
