"""Words at run time: grammars and free text that know more than the bundle does."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from letter_model import bundle_with_letter_model, bundle_without_letter_model

from edge_asr import Final, Recognizer
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.bundle import Bundle
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.errors import GrammarError, UsageError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle_with_letter_model(Bundle.load("en-tiny"), tmp_path_factory.mktemp("bundles") / "guessing")


@pytest.fixture
def recognizer(bundle: Bundle) -> Recognizer:
    return Recognizer(bundle)


@pytest.fixture(scope="module")
def sample(repository: Path) -> Float32Array:
    return read_audio(repository / "edge_asr" / "samples" / "living-room-lights.flac")


def emissions(tokens: tuple[str, ...], phones: str) -> Float32Array:
    """Log-probabilities of clear speech: three frames a phone, two of blank between."""
    path = [0, 0] + [t for phone in phones.split() for t in [tokens.index(phone)] * 3 + [0, 0]]
    log_probs = np.full((len(path), len(tokens)), np.log(0.002), dtype=np.float32)
    log_probs[np.arange(len(path)), path] = np.log(0.9)
    return log_probs


def decode(graph: Graph, phones: str) -> str:
    search = NgramSearch(graph)
    search.push(emissions(graph.tokens, phones))
    return search.finish().text


def hear(recognizer: Recognizer, graph: Graph | None, sample: Float32Array) -> Final:
    stream = recognizer.stream(graph=graph)
    events = [*stream.accept_waveform(sample), *stream.finish()]
    [final] = [event for event in events if isinstance(event, Final)]
    return final


PHONES = "T ER N AA N DH AH Z AA R G B IH D AE N D IH T S L AY T"


@pytest.mark.parametrize("loaded", [True, False])
def test_an_added_word_comes_out_of_free_text(recognizer: Recognizer, loaded: bool) -> None:
    before = Recognizer(recognizer.bundle).word_loop()
    assert "zorgbid" not in decode(before, PHONES)
    if loaded:
        recognizer.word_loop()
    report = recognizer.add_words({"zorgbid": None})
    assert [str(way) for way in report.spoken] == ["guessed: zorgbid  Z AA R G B IH D"]
    assert decode(recognizer.word_loop(), PHONES) == "turn on the zorgbid and its light"
    # Another weight, another text: so dear that it is never said.
    shy = Recognizer(recognizer.bundle)
    shy.add_words(["zorgbid"], log_prob=-200.0)
    assert decode(shy.word_loop(), PHONES) == decode(before, PHONES)


def test_the_users_phones_come_first_and_are_heard(recognizer: Recognizer) -> None:
    report = recognizer.add_words({"zorgbid": "SH IH P T AO K", "light": "L OY T"})
    assert [(way.word, way.phones, way.source) for way in report.spoken] == [
        ("zorgbid", "SH IH P T AO K", "user"),
        ("light", "L OY T", "user"),
        ("light", "L AY T", "lexicon"),
    ]
    loop = recognizer.word_loop()
    assert (
        decode(loop, "T ER N AA N DH AH SH IH P T AO K AE N D IH T S L OY T")
        == "turn on the zorgbid and its light"
    )
    assert decode(loop, "T ER N AA N DH AH L AY T") == "turn on the light"


def test_a_word_of_grammars_only_comes_to_free_text() -> None:
    """A lexicon may hold words that the language model lacks."""
    recognizer, word = Recognizer.load("en-small"), "zorgbid"
    recognizer._lexicon = recognizer.lexicon.extended(f"{word} Z AO R G B IH D\n", source="grammars")
    assert word not in {output.word for output in recognizer.word_loop().outputs}
    report = recognizer.add_words([word])
    assert {way.source for way in report.spoken} == {"lexicon"}
    assert word in decode(recognizer.word_loop(), f"DH AH {report.spoken[0].phones} IH Z AA N").split()


def test_open_streams_keep_their_words(recognizer: Recognizer, sample: Float32Array) -> None:
    stream = recognizer.stream()
    loop = recognizer.word_loop()
    [*_, expected] = [*Recognizer(recognizer.bundle).stream().accept_waveform(sample[:20_000])]
    recognizer.add_words(["zorgbid"])
    [*_, partial] = stream.accept_waveform(sample[:20_000])
    assert partial == expected
    assert "zorgbid" not in {output.word for output in loop.outputs}
    assert recognizer.word_loop().outputs[-1].word == "zorgbid"


def test_a_loop_of_before_is_still_free_text(recognizer: Recognizer, sample: Float32Array) -> None:
    loop = recognizer.word_loop()
    expected = hear(recognizer, loop, sample)
    recognizer.add_words(["zorgbid"])
    assert hear(recognizer, loop, sample) == expected
    assert hear(recognizer, None, sample).text == expected.text


def test_added_words_are_known_to_grammars(recognizer: Recognizer, sample: Float32Array) -> None:
    recognizer.add_words({"lightz": "L AY T S"})
    graph = recognizer.compile([sentences_network(["turn on the lightz in the living room"], "own")])
    assert graph.guessed == ()
    assert hear(recognizer, graph, sample).text == "turn on the lightz in the living room"


def test_unknown_words_of_a_grammar_are_guessed_and_named(recognizer: Recognizer) -> None:
    graph = recognizer.compile([sentences_network(["turn on the zorgbid", "zorgbid off"], "own")])
    assert [str(way) for way in graph.guessed] == ["guessed: zorgbid  Z AA R G B IH D"]
    assert "zorgbid" not in recognizer.lexicon
    with pytest.raises(GrammarError, match=r"own:1: unknown word 'zorgbid'"):
        recognizer.compile([sentences_network(["turn on the zorgbid"], "own")], strict=True)


def test_a_word_that_nothing_is_guessed_for_fails_with_its_line(recognizer: Recognizer) -> None:
    with pytest.raises(GrammarError, match=r"own:2: unknown word '日本'"):
        recognizer.compile([sentences_network(["the zorgbid", "the 日本"], "own")])


def test_a_bundle_without_a_model_refuses_as_ever(bundle: Bundle) -> None:
    recognizer = Recognizer(bundle_without_letter_model(bundle))
    with pytest.raises(GrammarError, match=r"own:1: unknown word 'zorgbid'"):
        recognizer.compile([sentences_network(["turn on the zorgbid"], "own")])
    with pytest.raises(UsageError, match="unknown words 'zorgbid': the model brings nothing to guess with"):
        recognizer.add_words(["light", "zorgbid"])
    assert recognizer.add_words({"zorgbid": "Z AO R"}).spoken[0].source == "user"


def test_one_bad_word_and_none_is_added(recognizer: Recognizer) -> None:
    loop, lexicon = recognizer.word_loop(), recognizer.lexicon
    for words in ({"zorgbid": None, "日本": None}, {"zorgbid": None, "light": "L AX T"}):
        with pytest.raises(UsageError):
            recognizer.add_words(words)
    assert recognizer.word_loop() is loop
    assert recognizer.lexicon is lexicon


def test_threads_that_add_words_all_get_theirs_in(recognizer: Recognizer, sample: Float32Array) -> None:
    expected = hear(recognizer, None, sample)
    mistakes: list[str] = []

    def work(letter: str) -> None:
        for n in "abcdef":
            recognizer.add_words([f"zorg{n}bid{letter}"])
            text = hear(recognizer, None, sample).text
            mistakes.extend([text] if text != expected.text else [])

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "klm"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not mistakes
    known = {output.word for output in recognizer.word_loop().outputs}
    assert {f"zorg{n}bid{letter}" for n in "abcdef" for letter in "klm"} <= known
    assert all(f"zorg{n}bid{letter}" in recognizer.lexicon for n in "abcdef" for letter in "klm")


def test_a_hundred_words_are_added_at_once(recognizer: Recognizer) -> None:
    recognizer.word_loop(), recognizer.lexicon, recognizer.g2p
    words = [f"{a}o{b}ep{c}i" for a in "bdgkl" for b in "mnprs" for c in "tvzf"]
    started_s = time.thread_time()
    recognizer.add_words(words)
    assert time.thread_time() - started_s < 0.1
    assert {output.word for output in recognizer.word_loop().outputs} >= set(words)
