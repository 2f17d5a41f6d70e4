"""A stream changes its grammar between two utterances."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from street import RATE_HZ, SENTENCE, finals, run

from edge_asr import Final, Recognizer, SpeechStarted
from edge_asr.arrays import Float32Array
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.graph import Graph
from edge_asr.errors import UsageError
from edge_asr.events import Event
from edge_asr.vad.segmenter import SegmenterConfig

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


def test_phrases_are_preferred_in_the_free_text_that_comes_next(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    stream = recognizer.stream(graph=home)
    stream.accept_waveform(sample[:20_000])
    stream.use(None)
    stream.bias(recognizer.phrases({"lights on the living room": 6.0}))
    stream.accept_waveform(sample[20_000:])
    texts = [event.text for event in stream.finish() if isinstance(event, Final)]
    stream.accept_waveform(sample)
    texts += [event.text for event in stream.finish() if isinstance(event, Final)]
    assert texts == [SENTENCE, SENTENCE.replace("lights in", "lights on")]
