"""Where utterances end by what was said, in the whole street."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from street import RATE_HZ, SENTENCE, finals

from edge_asr import Final, Recognizer, Rejected
from edge_asr.arrays import Float32Array
from edge_asr.decoder.graph import Graph
from edge_asr.errors import UsageError
from edge_asr.events import Event


def pause(seconds: float, seed: int = 0) -> Float32Array:
    """Faint noise."""
    noise = 1e-3 * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))
    return noise.astype(np.float32)


@pytest.mark.parametrize("vad", [None, "webrtc"])
def test_a_command_ends_where_nothing_can_follow(
    recognizer: Recognizer, home: Graph, sample: Float32Array, vad: str | None
) -> None:
    # "please" may follow, but says nothing more.
    stream = recognizer.stream(graph=home, vad=vad, endpoint="fast")
    events: list[Event] = []
    for block in np.array_split(np.concatenate([pause(0.5), sample, pause(2.0)]), 300):
        events += stream.accept_waveform(block)
    [final] = [event for event in events if isinstance(event, Final)]
    assert (final.text, final.reason) == (SENTENCE, "complete")
    last = final.words[-1].end_s
    assert last < final.at_s < last + 0.75
    plain = recognizer.stream(graph=home, vad="webrtc")
    events = []
    for block in np.array_split(np.concatenate([pause(0.5), sample, pause(2.0)]), 300):
        events += plain.accept_waveform(block)
    events += plain.finish()  # the detector takes the noise for speech
    [later] = [event for event in events if isinstance(event, Final)]
    assert final.at_s < later.at_s


@pytest.mark.parametrize("vad", [None, "webrtc"])
def test_nothing_is_lost_between_utterances(
    recognizer: Recognizer, home: Graph, sample: Float32Array, vad: str | None
) -> None:
    stream = recognizer.stream(graph=home, vad=vad, endpoint="balanced")
    audio = np.concatenate([pause(0.3), sample, pause(0.8), sample, pause(1.0), sample])
    events = [*stream.accept_waveform(audio), *stream.finish()]
    texts = [event.text for event in events if isinstance(event, Final)]
    assert texts == [SENTENCE] * 3
    starts = [event.words[0].start_s for event in events if isinstance(event, Final)]
    spacing = np.diff(starts)
    assert spacing[0] == pytest.approx(sample.size / RATE_HZ + 0.8, abs=0.1)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 100_000), max_size=12), vad=st.sampled_from([None, "webrtc"]))
def test_any_split_ends_utterances_alike(
    recognizer: Recognizer, home: Graph, sample: Float32Array, cuts: list[int], vad: str | None
) -> None:
    audio = np.concatenate([pause(0.3), sample, pause(0.9), sample, pause(0.5)])

    def heard(blocks: Sequence[Float32Array]) -> list[Event]:
        stream = recognizer.stream(graph=home, vad=vad, endpoint="fast")
        events = [event for block in blocks for event in stream.accept_waveform(block)]
        return [dataclasses.replace(e, at_s=0) for e in finals([*events, *stream.finish()])]

    assert heard(np.split(audio, sorted(min(cut, audio.size) for cut in cuts))) == heard([audio])


def test_a_stream_without_words_does_not_listen_for_ever(recognizer: Recognizer, home: Graph) -> None:
    stream = recognizer.stream(graph=home, endpoint="fast")
    events = stream.accept_waveform(pause(7.0))
    assert [type(event) for event in events] == [Rejected, Rejected]


def test_endpoint_presets_are_named(recognizer: Recognizer) -> None:
    with pytest.raises(UsageError, match="no endpoint preset 'soon': choose one of fast, balanced, patient"):
        recognizer.stream(endpoint="soon")
