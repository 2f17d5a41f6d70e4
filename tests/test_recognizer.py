"""The whole street: audio in, events out, whatever the blocks."""

from __future__ import annotations

import dataclasses
import itertools
import math
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from street import RATE_HZ, SENTENCE, finals, run

from edge_asr import Final, Gap, Intent, Partial, Recognizer, Rejected, SpeechStarted
from edge_asr.arrays import Float32Array
from edge_asr.audio.resample import resample
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.graph import Graph
from edge_asr.errors import AudioError, UsageError
from edge_asr.events import Event
from edge_asr.vad.segmenter import SegmenterConfig


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


@pytest.mark.parametrize(("language", "number"), [("en-GB", "10"), ("nl", "ten")])
def test_finals_are_written_in_the_models_language(
    recognizer: Recognizer, sample: Float32Array, language: str, number: str
) -> None:
    config = dataclasses.replace(recognizer.bundle.config, language=language)
    other = Recognizer(dataclasses.replace(recognizer.bundle, config=config))
    said = "turn on ten lights in the living room"  # nearest to the sample of all that this grammar allows
    graph = other.compile([sentences_network([said], "own")])
    final = finals(run(other, graph, [sample]))[0]
    assert isinstance(final, Final)
    assert (final.text, final.written) == (said, said.replace("ten", number))
    assert final.to_dict()["written"] == final.written


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
    assert all(a != b for a, b in itertools.pairwise((p.text, p.stable) for p in partials))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 39_200), max_size=40), free=st.booleans())
def test_stable_words_never_change(
    recognizer: Recognizer, home: Graph, sample: Float32Array, cuts: list[int], free: bool
) -> None:
    """Whatever the blocks: each stable text is the beginning of all later texts, and of the final."""
    graph = None if free else home
    events = run(recognizer, graph, np.split(sample, sorted(cuts)))
    [final] = [event.text for event in events if isinstance(event, Final)]
    assert final == SENTENCE
    partials = [event for event in events if isinstance(event, Partial)]
    shown: list[str] = []
    for partial in partials:
        words = partial.text.split()
        assert words[: len(partial.stable.split())] == partial.stable.split()
        assert partial.stable.split()[: len(shown)] == shown
        shown = partial.stable.split()
    assert final.split()[: len(shown)] == shown


def shown_after(
    recognizer: Recognizer, graph: Graph | None, sample: Float32Array, cuts: Sequence[int]
) -> dict[int, tuple[str, str]]:
    """Samples heard -> text and its stable beginning as shown then, for audio cut at these samples."""
    stream = recognizer.stream(graph=graph)
    shown, after = ("", ""), {}
    for begin, end in itertools.pairwise([0, *cuts]):
        for event in stream.accept_waveform(sample[begin:end]):
            shown = (event.text, event.stable) if isinstance(event, Partial) else shown
        after[end] = shown
    return after


@pytest.fixture(scope="module")
def shown_every_10_ms(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> dict[bool, dict[int, tuple[str, str]]]:
    """By whether the text is free: what is shown after each block of 10 ms."""
    cuts = range(160, sample.size + 1, 160)
    return {free: shown_after(recognizer, None if free else home, sample, cuts) for free in (False, True)}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.sets(st.integers(1, 245), min_size=1, max_size=40), free=st.booleans())
def test_any_split_shows_the_same_stable_words_at_the_same_time(
    recognizer: Recognizer,
    home: Graph,
    sample: Float32Array,
    shown_every_10_ms: dict[bool, dict[int, tuple[str, str]]],
    cuts: set[int],
    free: bool,
) -> None:
    samples = [160 * cut for cut in sorted(cuts) if 160 * cut <= sample.size]
    expected = shown_every_10_ms[free]
    assert len({stable for _, stable in expected.values()}) > 3, "words become stable one after the other"
    for at, shown in shown_after(recognizer, None if free else home, sample, samples).items():
        assert shown == expected[at]


def test_words_become_stable_while_speech_goes_on(recognizer: Recognizer, sample: Float32Array) -> None:
    events = run(recognizer, None, np.array_split(sample, 25))
    stable = [event.stable for event in events if isinstance(event, Partial)]
    assert any(0 < len(text) < len(SENTENCE) for text in stable)


def test_the_likeliest_sentences_are_listed(
    recognizer: Recognizer, repository: Path, sample: Float32Array
) -> None:
    alike = sentences_network([SENTENCE, "turn on the light in the living room", "turn on the lights"], "n")
    home = recognizer.compile([repository / "edge_asr" / "samples" / "home.yaml", alike])
    for graph in (None, home):
        stream = recognizer.stream(graph=graph, nbest=6)
        stream.accept_waveform(sample)
        final, *_ = stream.finish()
        assert isinstance(final, Final)
        # Free text may be sure of what was said so clearly.
        assert (1 if graph is None else 2) <= len(final.nbest) <= 6
        assert final.nbest[0].text == final.text == SENTENCE
        assert final.nbest[0].confidence == final.confidence
        scores = [other.score for other in final.nbest]
        assert scores == sorted(scores, reverse=True)
        assert len({(other.text, repr(other.slots)) for other in final.nbest}) == len(final.nbest)
        assert (final.nbest[0].intent is None) == (graph is None)
        [plain, *_] = finals(run(recognizer, graph, [sample]))
        assert isinstance(plain, Final)
        assert dataclasses.replace(plain, nbest=()) == dataclasses.replace(final, nbest=())
        [alone] = plain.nbest
        # Words that settled on the way were scored in another order.
        assert alone.score == pytest.approx(final.nbest[0].score, abs=0.01)
        assert dataclasses.replace(alone, score=final.nbest[0].score) == final.nbest[0]


def loudness(samples: Float32Array, kind: str) -> Float32Array:
    match kind:
        case "clipped":
            return np.clip(40 * samples, -1, 1)
        case "too_quiet":
            return 0.005 * samples
        case _:
            return samples


@pytest.mark.parametrize("reason", ["out_of_grammar", "clipped", "too_quiet"])
def test_what_is_refused_says_why(recognizer: Recognizer, sample: Float32Array, reason: str) -> None:
    grammar = recognizer.compile([sentences_network(["what is the weather going to be like"], "weather")])
    [event] = finals(run(recognizer, grammar, [loudness(sample, reason)]))
    assert isinstance(event, Rejected)
    assert event.reason == reason


@pytest.mark.parametrize(("level", "reason"), [(0.1, "noise"), (1e-4, "silence"), (0.0, "silence")])
def test_sounds_without_speech_are_noise_unless_they_cannot_be_heard(
    recognizer: Recognizer, home: Graph, level: float, reason: str
) -> None:
    noise = (level * np.random.default_rng(0).standard_normal(2 * RATE_HZ)).astype(np.float32)
    for graph in (None, home):
        [event] = finals(run(recognizer, graph, [noise]))
        assert isinstance(event, Rejected) and event.reason == reason


def test_presets_are_named(recognizer: Recognizer, home: Graph) -> None:
    with pytest.raises(UsageError, match=r"no rejection preset 'picky' in en-small: choose one of .*off"):
        recognizer.stream(graph=home, rejection="picky")
    with pytest.raises(UsageError, match="nbest must be at least 1, got 0"):
        recognizer.stream(nbest=0)


def test_a_preset_refuses_what_is_less_sure(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    config = recognizer.bundle.config
    decoder = dataclasses.replace(config.decoder, rejection={"strict": 1.0, "lenient": 0.0})
    bundle = dataclasses.replace(recognizer.bundle, config=dataclasses.replace(config, decoder=decoder))
    other = Recognizer(bundle)
    for preset, kind in (("strict", Rejected), ("lenient", Final), ("off", Final)):
        stream = other.stream(graph=home, rejection=preset)
        stream.accept_waveform(sample)
        assert isinstance(stream.finish()[0], kind)
    with pytest.raises(UsageError, match="choose one of strict, lenient, off"):
        other.stream(graph=home)


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


def test_words_hardly_likelier_than_silence_are_noise(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    config = recognizer.bundle.config
    decoder = dataclasses.replace(config.decoder, speech_margin=1000.0)
    bundle = dataclasses.replace(recognizer.bundle, config=dataclasses.replace(config, decoder=decoder))
    for graph in (None, home):
        [event] = finals(run(Recognizer(bundle), graph, [sample]))
        assert isinstance(event, Rejected) and event.reason == "noise"
        assert event.nbest[0].text == SENTENCE, "the guess stays visible"


def test_networks_and_files_can_be_mixed(
    recognizer: Recognizer, repository: Path, sample: Float32Array
) -> None:
    own = sentences_network(["good morning vietnam"], "own")
    graph = recognizer.compile([own, repository / "edge_asr" / "samples" / "home.yaml"])
    assert finals(run(recognizer, graph, [sample]))[0].text == SENTENCE  # type: ignore[attr-defined]


def test_phrases_are_preferred_and_can_be_changed_in_between(
    recognizer: Recognizer, sample: Float32Array
) -> None:
    stream = recognizer.stream()
    texts = []
    for boosts in ({}, {"lights on the living room": 6.0}, {}):
        stream.bias(recognizer.phrases(boosts))
        events = [*stream.accept_waveform(sample), *stream.finish()]
        texts += [event.text for event in events if isinstance(event, Final)]
    assert texts == [SENTENCE, SENTENCE.replace("lights in", "lights on"), SENTENCE]


def test_phrases_of_unknown_words_are_named(recognizer: Recognizer, home: Graph) -> None:
    with pytest.raises(UsageError, match="free text does not know 'xyzzy', 'plugh'"):
        recognizer.phrases({"open xyzzy": 1.0, "plugh xyzzy": 2.0})
    with pytest.raises(UsageError, match="phrases: expected word numbers"):
        recognizer.phrases({" ": 1.0})
    for boost in (math.nan, math.inf, -math.inf, 1e6):
        with pytest.raises(UsageError, match="phrases: expected a boost of -100 to 100"):
            recognizer.phrases({"open": boost})
    with pytest.raises(UsageError, match="only be preferred in free text"):
        recognizer.stream(graph=home).bias(recognizer.phrases({"open": 1.0}))
