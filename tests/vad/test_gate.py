import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.vad import FRAME_SAMPLES
from edge_asr.vad.energy import EnergyVad
from edge_asr.vad.gate import Gate, Piece, SpeechAudio, SpeechClosed, SpeechOpened
from edge_asr.vad.segmenter import SegmenterConfig

CONFIG = SegmenterConfig(
    min_speech_ms=60, trigger_window_ms=100, pre_roll_ms=80, end_silence_ms=200, max_speech_s=1.0
)


class LabelVad:
    """Samples carry their own label: positive is speech. A frame is judged by its first sample."""

    def __init__(self) -> None:
        self.reset()

    def push(self, x: Float32Array) -> Float32Array:
        self.stream = np.concatenate([self.stream, x])
        judged = self.stream.size // FRAME_SAMPLES * FRAME_SAMPLES
        frames, self.stream = self.stream[:judged:FRAME_SAMPLES], self.stream[judged:]
        return (frames > 0).astype(np.float32)

    def flush(self) -> Float32Array:
        return np.empty(0, dtype=np.float32)

    def reset(self) -> None:
        self.stream = np.empty(0, dtype=np.float32)


def signal(*runs: tuple[int, bool], extra: int = 0) -> Float32Array:
    """Runs of (frames, speech) and then ``extra`` samples; every sample is different."""
    speech = np.repeat([s for _, s in runs], [n * FRAME_SAMPLES for n, _ in runs])
    values = np.arange(1, speech.size + 1, dtype=np.float32)
    return np.concatenate([np.where(speech, values, -values), -1e6 - np.arange(extra)]).astype(np.float32)


def segments(pieces: list[Piece]) -> list[tuple[int, int, str, Float32Array]]:
    """(opened at, closed at, reason, audio) of every segment; checks the order of the pieces."""
    found = []
    opened: SpeechOpened | None = None
    audio: list[Float32Array] = []
    for piece in pieces:
        match piece:
            case SpeechOpened():
                assert opened is None
                opened, audio = piece, []
            case SpeechAudio(samples):
                assert opened is not None
                assert samples.size
                audio.append(samples)
            case SpeechClosed(at_sample, reason):
                assert opened is not None
                found.append((opened.at_sample, at_sample, reason, np.concatenate(audio)))
                opened = None
    assert opened is None
    return found


def run(stream: Float32Array, cuts: list[int]) -> list[tuple[int, int, str, Float32Array]]:
    gate = Gate(LabelVad(), CONFIG)
    pieces: list[Piece] = []
    for part in np.split(stream, sorted(min(cut, stream.size) for cut in cuts)):
        pieces += gate.push(part)
    pieces += gate.flush()
    assert gate.flush() == []
    return segments(pieces)


def test_one_utterance_with_its_edges() -> None:
    stream = signal((20, False), (15, True), (30, False))
    [(start, end, reason, audio)] = run(stream, [])
    assert (start, end, reason) == (16 * FRAME_SAMPLES, 45 * FRAME_SAMPLES, "silence")
    np.testing.assert_array_equal(audio, stream[start:end])


def test_the_end_of_the_audio_closes_with_the_last_sample() -> None:
    stream = signal((20, False), (15, True), extra=123)
    [(start, end, reason, audio)] = run(stream, [])
    assert (start, end, reason) == (16 * FRAME_SAMPLES, stream.size, "end_of_audio")
    np.testing.assert_array_equal(audio, stream[start:])


def test_too_long_loses_and_repeats_nothing() -> None:
    stream = signal((20, False), (120, True), extra=5)
    found = run(stream, [])
    assert [reason for _, _, reason, _ in found] == ["too_long", "too_long", "end_of_audio"]
    assert [end for _, end, _, _ in found[:-1]] == [start for start, _, _, _ in found[1:]]
    np.testing.assert_array_equal(np.concatenate([audio for *_, audio in found]), stream[found[0][0] :])


def test_no_speech_no_pieces() -> None:
    assert run(signal((200, False)), [7, 7, 8]) == []
    assert run(np.empty(0, np.float32), []) == []


RUNS = st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=12)


@settings(deadline=None)
@given(RUNS, st.integers(0, FRAME_SAMPLES - 1), st.lists(st.integers(0, 150_000), max_size=25))
def test_any_split_gives_the_same_exact_slices(
    runs: list[tuple[int, bool]], extra: int, cuts: list[int]
) -> None:
    stream = signal(*runs, extra=extra)
    whole = run(stream, [])
    for start, end, _, audio in whole:
        np.testing.assert_array_equal(audio, stream[start:end])
    streamed = run(stream, [*cuts, *(cut + 1 for cut in cuts)])
    assert [found[:3] for found in streamed] == [found[:3] for found in whole]
    for (*_, audio), (*_, expected) in zip(streamed, whole, strict=True):
        np.testing.assert_array_equal(audio, expected)


def test_audio_flows_before_the_segment_closes() -> None:
    gate = Gate(LabelVad(), CONFIG)
    gate.push(signal((20, False)))
    pieces = gate.push(signal((10, True)))
    assert [type(piece) for piece in pieces] == [SpeechOpened, SpeechAudio]
    [more] = gate.push(signal((1, True)))
    assert isinstance(more, SpeechAudio)
    assert more.samples.size == FRAME_SAMPLES


def test_long_silence_needs_no_memory() -> None:
    gate = Gate(LabelVad(), CONFIG)
    for _ in range(50):
        gate.push(signal((20, False)))
    assert gate._kept.size <= 15 * FRAME_SAMPLES  # window 5 + end silence 10


def test_reset_is_new() -> None:
    stream = signal((20, False), (15, True), (30, False))
    gate = Gate(LabelVad(), CONFIG)
    first = segments(gate.push(stream[:-1000]) + gate.flush())
    gate.push(signal((5, True), extra=77))
    gate.reset()
    again = segments(gate.push(stream[:-1000]) + gate.flush())
    assert [found[:3] for found in again] == [found[:3] for found in first]
    np.testing.assert_array_equal(again[0][3], first[0][3])


def test_a_real_detector_finds_the_burst() -> None:
    rng = np.random.default_rng(0)
    stream = (0.001 * rng.standard_normal(16_000 * 4)).astype(np.float32)
    stream[20_000:40_000] *= 100
    gate = Gate(EnergyVad())
    [(start, end, reason, audio)] = segments(gate.push(stream) + gate.flush())
    assert reason == "silence"
    assert abs(start - (20_000 - 6_400)) <= FRAME_SAMPLES
    assert abs(end - (40_000 + 11_200)) <= 2 * FRAME_SAMPLES
    np.testing.assert_array_equal(audio, stream[start:end])
