"""The whole street: audio in, events out, whatever the blocks."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_asr import Final, Gap, Intent, Partial, Recognizer, Rejected, SpeechStarted
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.audio.resample import resample
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.graph import Graph
from edge_asr.errors import AudioError, GrammarError, UsageError
from edge_asr.events import Event
from edge_asr.vad.segmenter import SegmenterConfig

RATE_HZ = 16_000
SENTENCE = "turn on the lights in the living room"


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.fixture(scope="session")
def home(recognizer: Recognizer, repository: Path) -> Graph:
    return recognizer.compile([repository / "edge_asr" / "samples" / "home.yaml"])


@pytest.fixture(scope="session")
def sample(repository: Path) -> Float32Array:
    return read_audio(repository / "edge_asr" / "samples" / "living-room-lights.flac")


def run(recognizer: Recognizer, graph: Graph | None, blocks: Sequence[Float32Array]) -> list[Event]:
    stream = recognizer.stream(graph=graph)
    events = [event for block in blocks for event in stream.accept_waveform(block)]
    return [*events, *stream.finish()]


def finals(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Partial)]


def test_sample_gives_its_sentence_and_intent(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    events = run(recognizer, home, [sample])
    final, intent = finals(events)
    assert isinstance(final, Final)
    assert final.text == SENTENCE
    assert [word.word for word in final.words] == SENTENCE.split()
    assert 0 < final.confidence <= 1
    times = [t for word in final.words for t in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] <= len(sample) / RATE_HZ
    assert isinstance(intent, Intent)
    assert (intent.name, intent.slots["area"]) == ("HassTurnOn", "living_room")


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 45_000), max_size=10))
def test_any_split_of_the_audio_gives_the_same_final(
    recognizer: Recognizer, home: Graph, sample: Float32Array, cuts: list[int]
) -> None:
    expected = [dataclasses.replace(e, at_s=0) for e in finals(run(recognizer, home, [sample]))]
    blocks = np.split(sample, sorted(min(cut, sample.size) for cut in cuts))
    assert [dataclasses.replace(e, at_s=0) for e in finals(run(recognizer, home, blocks))] == expected


def test_partials_arrive_before_the_end(recognizer: Recognizer, home: Graph, sample: Float32Array) -> None:
    events = run(recognizer, home, np.array_split(sample, 50))
    partials = [event for event in events if isinstance(event, Partial)]
    assert partials[0].at_s < len(sample) / RATE_HZ * 0.8
    assert all(a.text != b.text for a, b in itertools.pairwise(partials))


def test_other_sample_rates_are_heard_alike(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    stream = recognizer.stream(sample_rate_hz=44_100, graph=home)
    events = [*stream.accept_waveform(resample(sample, RATE_HZ, 44_100)), *stream.finish()]
    assert [e.text for e in events if isinstance(e, Final)] == [SENTENCE]


def test_a_finished_stream_starts_anew(recognizer: Recognizer, home: Graph, sample: Float32Array) -> None:
    stream = recognizer.stream(graph=home)
    first = [*stream.accept_waveform(sample), *stream.finish()]
    assert [*stream.accept_waveform(sample), *stream.finish()] == first


def test_streams_of_one_recognizer_run_in_threads(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    expected = run(recognizer, home, [sample])
    results: list[list[Event]] = []
    threads = [
        threading.Thread(target=lambda: results.append(run(recognizer, home, [sample]))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def nothing(kind: str) -> Float32Array:
    n = 10 * RATE_HZ
    if kind == "digital silence":
        return np.zeros(n, dtype=np.float32)
    if kind == "tone":
        return (0.3 * np.sin(2 * np.pi * 440 * np.arange(n) / RATE_HZ)).astype(np.float32)
    level = {"white noise": 0.1, "faint noise": 1e-3}[kind]
    return (level * np.random.default_rng(1).standard_normal(n)).astype(np.float32)


@pytest.mark.parametrize("kind", ["digital silence", "white noise", "faint noise", "tone"])
def test_nothing_is_invented(recognizer: Recognizer, home: Graph, kind: str) -> None:
    events = run(recognizer, home, [nothing(kind)])
    assert [type(event) for event in events] == [Rejected]


@pytest.mark.parametrize("samples", [0, 1, 399, 400, 5000])
def test_very_short_streams_end_in_silence(recognizer: Recognizer, home: Graph, samples: int) -> None:
    events = run(recognizer, home, [np.zeros(samples, dtype=np.float32)])
    assert [e.reason for e in events if isinstance(e, Rejected)] == ["silence"]


def test_nan_is_refused_and_loses_nothing(recognizer: Recognizer, home: Graph, sample: Float32Array) -> None:
    stream = recognizer.stream(graph=home)
    events = stream.accept_waveform(sample[:20_000])
    with pytest.raises(AudioError, match="nan"):
        stream.accept_waveform(np.array([0.0, np.nan], dtype=np.float32))
    events += [*stream.accept_waveform(sample[20_000:]), *stream.finish()]
    assert [e.text for e in events if isinstance(e, Final)] == [SENTENCE]


def test_a_segmented_stream_hears_two_commands_apart(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    quiet = (1e-4 * np.random.default_rng(0).standard_normal(2 * RATE_HZ)).astype(np.float32)
    stream = recognizer.stream(graph=home, vad="webrtc", segmenter=SegmenterConfig(end_silence_ms=500))
    audio = np.concatenate([quiet, sample, quiet, sample, quiet])
    events = [e for block in np.array_split(audio, 200) for e in stream.accept_waveform(block)]
    texts = [e.text for e in events if isinstance(e, Final)]
    assert texts == [SENTENCE] * 2
    assert [e.reason for e in events if isinstance(e, Final)] == ["silence"] * 2
    starts = [e.words[0].start_s for e in events if isinstance(e, Final)]
    assert starts[1] - starts[0] == pytest.approx((len(sample) + len(quiet)) / RATE_HZ, abs=0.1)
    assert sum(isinstance(e, SpeechStarted) for e in events) == 2
    assert stream.finish() == []


def test_a_short_gap_is_bridged_and_reported(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    stream = recognizer.stream(graph=home)
    events = [*stream.accept_waveform(sample), *stream.skip(800), *stream.finish()]
    gaps = [e for e in events if isinstance(e, Gap)]
    assert [(g.duration_s, g.at_s) for g in gaps] == [(0.05, pytest.approx(len(sample) / RATE_HZ + 0.05))]
    assert [e.text for e in events if isinstance(e, Final)] == [SENTENCE]


def test_a_long_gap_ends_the_utterance_and_advances_the_clock(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    stream = recognizer.stream(graph=home)
    before = [*stream.accept_waveform(sample), *stream.skip(10 * RATE_HZ)]
    after = [*stream.accept_waveform(sample), *stream.finish()]
    [first] = [e for e in before if isinstance(e, Final)]
    [second] = [e for e in after if isinstance(e, Final)]
    expected = len(sample) / RATE_HZ + 10
    assert second.words[0].start_s - first.words[0].start_s == pytest.approx(expected, abs=0.02)


def test_free_text_needs_no_grammar(recognizer: Recognizer, sample: Float32Array) -> None:
    [final] = finals(run(recognizer, None, [sample]))
    assert isinstance(final, Final)
    heard = set(final.text.split())
    assert len(heard & set(SENTENCE.split())) >= 3


@pytest.mark.parametrize("deaf", ["free text", "grammar"])
def test_free_text_and_grammars_have_token_offsets_of_their_own(
    recognizer: Recognizer, home: Graph, sample: Float32Array, deaf: str
) -> None:
    """Offsets that leave nothing but blank show who uses them."""
    config = recognizer.bundle.config
    only_blank = (1000.0,) + (0.0,) * (config.acoustic.outputs - 1)
    none: tuple[float, ...] = ()
    free, grammar = (only_blank, none) if deaf == "free text" else (none, only_blank)
    decoder = dataclasses.replace(config.decoder, token_offsets=free, grammar_token_offsets=grammar)
    bundle = dataclasses.replace(recognizer.bundle, config=dataclasses.replace(config, decoder=decoder))
    other = Recognizer(bundle)
    for graph in (None, other.word_loop(), home):
        heard = [type(event) for event in finals(run(other, graph, [sample]))]
        assert (heard == [Rejected]) == ((graph is home) == (deaf == "grammar"))
        assert (Final in heard) == (heard != [Rejected])


def test_words_hardly_likelier_than_silence_are_silence(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    config = recognizer.bundle.config
    decoder = dataclasses.replace(config.decoder, speech_margin=1000.0)
    bundle = dataclasses.replace(recognizer.bundle, config=dataclasses.replace(config, decoder=decoder))
    for graph in (None, home):
        [event] = finals(run(Recognizer(bundle), graph, [sample]))
        assert isinstance(event, Rejected) and event.reason == "silence"


def test_networks_and_files_can_be_mixed(
    recognizer: Recognizer, repository: Path, sample: Float32Array
) -> None:
    own = sentences_network(["good morning vietnam"], "own")
    graph = recognizer.compile([own, repository / "edge_asr" / "samples" / "home.yaml"])
    assert finals(run(recognizer, graph, [sample]))[0].text == SENTENCE  # type: ignore[attr-defined]


def test_of_a_grammar_with_mistakes_the_rest_is_compiled(recognizer: Recognizer, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.jsgf"
    good.write_text("turn on the light\nturn on the flurbelizer\nthe 2nd light\n")
    bad.write_text("#JSGF V1.0;\ngrammar bad;\npublic <a> = (b;\n")
    rejects: list[Reject] = []
    graph = recognizer.compile([bad, good], rejects)
    assert [reject.place for reject in rejects] == ["bad.jsgf:3", "good.txt:3", "good.txt:2"]
    assert {output.word for output in graph.outputs} == {"turn", "on", "the", "light"}
    with pytest.raises(GrammarError, match=r"good\.txt:3"):
        recognizer.compile([good])
    with pytest.raises(GrammarError, match=r"bad\.jsgf:3"):
        recognizer.compile([bad], [])


QUIET = (1e-4 * np.random.default_rng(0).standard_normal(RATE_HZ)).astype(np.float32)
ENDING = SegmenterConfig(end_silence_ms=500)


@pytest.fixture(scope="session")
def other(recognizer: Recognizer) -> Graph:
    """A grammar of which the sample is no sentence, but whose nearest one is not rejected."""
    return recognizer.compile([sentences_network([f"please {SENTENCE}", "turn off the lights"], "other")])


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blocks=st.integers(1, 300), at=st.floats(0.0, 1.0))
def test_another_grammar_is_heard_from_the_next_utterance_on(
    recognizer: Recognizer, home: Graph, other: Graph, sample: Float32Array, blocks: int, at: float
) -> None:
    """Wherever the change falls, each utterance is what a stream with that grammar alone hears of it."""
    audio = np.concatenate([QUIET, sample, QUIET, sample, QUIET])

    def hear(first: Graph, then: Graph | None) -> list[Event]:
        stream = recognizer.stream(graph=first, vad="webrtc", segmenter=ENDING)
        events: list[Event] = []
        for i, block in enumerate(np.array_split(audio, blocks)):
            if then is not None and i == round(at * (blocks - 1)):
                stream.use(then)
            events += stream.accept_waveform(block)
        return [e for e in finals([*events, *stream.finish()]) if not isinstance(e, SpeechStarted)]

    alone = {id(graph): hear(graph, None) for graph in (home, other)}
    changed = hear(home, other)
    # Home's two utterances are a Final and an Intent each, the other grammar's a Final.
    heard = [[*alone[id(home)][:first], *alone[id(other)][then:]] for first, then in ((4, 2), (2, 1), (0, 0))]
    assert len(alone[id(home)]) == 4 and len(alone[id(other)]) == 2
    assert changed in heard


def test_the_open_utterance_keeps_its_grammar(
    recognizer: Recognizer, home: Graph, other: Graph, sample: Float32Array
) -> None:
    stream = recognizer.stream(graph=home)
    stream.accept_waveform(sample[:20_000])
    stream.use(other)
    stream.accept_waveform(sample[20_000:])
    first = finals(stream.finish())
    assert first[0] == finals(run(recognizer, home, [sample]))[0]
    second = [event for part in (sample[:20_000], sample[20_000:]) for event in stream.accept_waveform(part)]
    second += stream.finish()
    expected = run(recognizer, other, [sample[:20_000], sample[20_000:]])
    assert finals(second) == finals(expected)
    assert finals(second) != first


def test_a_stream_that_has_heard_nothing_changes_at_once(
    recognizer: Recognizer, home: Graph, other: Graph, sample: Float32Array
) -> None:
    stream = recognizer.stream(graph=other)
    stream.use(None)
    stream.use(home)
    events = [*stream.accept_waveform(sample), *stream.finish()]
    assert events == run(recognizer, home, [sample])
    stream.use(None)
    events = [*stream.accept_waveform(sample), *stream.finish()]
    assert events == run(recognizer, None, [sample])


def test_a_graph_of_another_alphabet_is_refused(recognizer: Recognizer, home: Graph) -> None:
    foreign = dataclasses.replace(home, tokens=home.tokens[::-1])
    stream = recognizer.stream(graph=home)
    with pytest.raises(UsageError, match="another model"):
        stream.use(foreign)
    with pytest.raises(UsageError, match="another model"):
        recognizer.stream(graph=foreign)
