"""What every search without a graph must hold, whichever it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from all_alignments import drawn_emissions
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.config import DecoderConfig
from edge_asr.decoder import FREE_SEARCHES, Decoder, create_free_search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis

ALPHABETS = {
    "phones": Tokens(["<blk>", "A", "B", "C", "D"]),
    "characters": Tokens(["<blk>", "a", "b", "|", "'"]),
    "bpe": Tokens(["<blk>", "▁a", "b", "▁", "▁of▁a"]),
}
units = st.sampled_from(sorted(ALPHABETS))
every_search = pytest.mark.parametrize("name", FREE_SEARCHES)


def new(name: str, alphabet: str, **settings: object) -> Decoder:
    config = DecoderConfig(units=alphabet, **settings)  # type: ignore[arg-type]
    return create_free_search(name, ALPHABETS[alphabet], config)


def outcome(search: Decoder) -> tuple[Hypothesis, Hypothesis]:
    return search.best(), search.finish()


@every_search
@settings(max_examples=40)
@given(units, st.integers(0, 2**32 - 1), st.lists(st.integers(0, 40), max_size=5))
def test_any_division_gives_the_same_result(name: str, alphabet: str, seed: int, cuts: list[int]) -> None:
    log_probs = drawn_emissions(seed, 40, 5)
    whole, parts = new(name, alphabet), new(name, alphabet)
    whole.push(log_probs)
    for part in np.split(log_probs, sorted(cuts)):
        parts.push(part)
        parts.best()
        parts.finish()
    assert outcome(parts) == outcome(whole)
    parts.reset()
    assert outcome(parts) == outcome(new(name, alphabet))
    parts.push(log_probs)
    assert outcome(parts) == outcome(whole)


@every_search
@settings(max_examples=20)
@given(units, st.integers(0, 2**32 - 1))
def test_stable_words_are_a_beginning_of_all_that_follows(name: str, alphabet: str, seed: int) -> None:
    search = new(name, alphabet)
    stable: list[tuple[str, ...]] = []
    for frame in drawn_emissions(seed, 60, 5, spread=4.0):
        search.push(frame[None])
        partial = search.best()
        assert partial.outcome == "partial"
        stable.append(tuple(hit.word for hit in partial.words[: partial.stable_words]))
    final = search.finish()
    said = tuple(hit.word for hit in final.words)
    assert final.stable_words == len(said)
    for earlier, later in zip(stable, [*stable[1:], said], strict=True):
        assert later[: len(earlier)] == earlier


@every_search
def test_words_become_stable_while_the_stream_goes_on(name: str) -> None:
    search = new(name, "phones")
    search.push(drawn_emissions(0, 200, 5, spread=6.0))
    assert search.best().stable_words > 0.8 * len(search.finish().words) > 50


@every_search
@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_forgetting_does_not_show(name: str, alphabet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Noise leaves old doubts open for hundreds of tokens, which a stream would cut short.
    monkeypatch.setattr("edge_asr.decoder.prefix_beam._LONGEST", 10**6)
    log_probs = drawn_emissions(5, 1500, 5, spread=3.0)
    tight = new(name, alphabet)
    tight.push(log_probs)
    monkeypatch.setattr("edge_asr.decoder.prefix_beam._FIRST_RECORDS", 1 << 20)
    roomy = new(name, alphabet)
    roomy.push(log_probs)
    assert tight.finish() == roomy.finish()
    assert len(tight.finish().words) > 100


@every_search
@settings(max_examples=30)
@given(units, st.integers(0, 2**32 - 1))
def test_times_go_forward(name: str, alphabet: str, seed: int) -> None:
    search = new(name, alphabet)
    search.push(drawn_emissions(seed, 50, 5))
    found = search.finish()
    times = [(hit.start_frame, hit.end_frame) for hit in found.words]
    assert all(0 <= start < end <= found.frames == 50 for start, end in times)
    assert [start for start, _ in times] == sorted(start for start, _ in times)
    assert all(hit.deficit <= 0 for hit in found.words)


@every_search
def test_a_dearer_blank_lets_quiet_tokens_through(name: str) -> None:
    log_probs = np.log(np.array([[0.9, 0.02, 0.04, 0.02, 0.02]] * 2, dtype=np.float32))
    quiet, loud = new(name, "phones"), new(name, "phones", token_offsets=(-4.0, 0.0, 0.0, 0.0, 0.0))
    for search in (quiet, loud):
        search.push(log_probs)
    assert (quiet.finish().text, loud.finish().text) == ("", "B")
    posterior = np.log(0.04 / (0.9 * np.exp(-4.0) + 0.1))
    assert loud.finish().words[0].deficit == pytest.approx(2 * posterior, abs=1e-5)


@every_search
def test_impossible_tokens_are_no_error(name: str) -> None:
    log_probs = np.full((3, 5), -np.inf, dtype=np.float32)
    log_probs[[0, 1, 2], [2, 0, 2]] = 0.0
    search = new(name, "phones")
    search.push(log_probs)
    found = search.finish()
    assert (found.text, found.score, found.silence_score) == ("B B", 0.0, -np.inf)


@every_search
@pytest.mark.parametrize("shape", [(3,), (3, 4), (1, 3, 5)])
def test_wrong_shape_is_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(frames, 5\)"):
        new(name, "phones").push(np.zeros(shape, dtype=np.float32))


@every_search
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_distribution_is_refused(name: str, value: float) -> None:
    log_probs = np.full((2, 5), -1.0, dtype=np.float32)
    log_probs[1] = value
    search = new(name, "phones")
    with pytest.raises(ValueError, match="got a frame of nothing but -inf"):
        search.push(log_probs)
    assert search.finish() == new(name, "phones").finish()


@every_search
def test_wrong_number_of_token_offsets_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="5 token offsets"):
        new(name, "phones", token_offsets=(1.0,))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"units": "words"}, "units"), ({"prefixes": 0}, "prefixes"), ({"token_beam": 0.0}, "token_beam")],
)
def test_wrong_settings_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(DecoderConfig(), **change)  # type: ignore[arg-type]
