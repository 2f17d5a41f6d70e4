from __future__ import annotations

import itertools

import numpy as np
import pytest
from all_alignments import Labels, alignments, drawn_emissions, log_sum
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.arrays import Float32Array
from edge_asr.decoder.prefix_beam import PrefixBeamSearch
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import Hypothesis

TOKENS = Tokens(["<blk>", "A", "B", "C"])
EVERYTHING = {"prefixes": 10**6, "beam": np.inf, "token_beam": np.inf}


def decode(log_probs: Float32Array, **pruning: float) -> PrefixBeamSearch:
    search = PrefixBeamSearch(TOKENS, **pruning)  # type: ignore[arg-type]
    search.push(log_probs)
    return search


def labels(hypothesis: Hypothesis) -> Labels:
    return tuple(token for hit in hypothesis.words for token in hit.phones)


@st.composite
def emissions(draw: st.DrawFn, *, frames: int = 5) -> Float32Array:
    """A few random frames; some tokens may be impossible in some frames."""
    log_probs = drawn_emissions(draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, frames)), len(TOKENS))
    for t, token in draw(st.lists(st.tuples(st.integers(0, frames), st.integers(0, 3)), max_size=3)):
        if t < len(log_probs) and np.isfinite(log_probs[t]).sum() > 1:
            log_probs[t, token] = -np.inf
    return log_probs


@settings(max_examples=80)
@given(emissions())
def test_every_prefix_has_the_sum_of_all_its_alignments(log_probs: Float32Array) -> None:
    truth = {said: log_sum(scores) for said, scores in alignments(log_probs).items()}
    found = {labels(h): h.score for h in decode(log_probs, **EVERYTHING).nbest(10**6)}
    possible = {said for said, score in truth.items() if score > -np.inf}
    assert set(found) - {()} == possible - {()}
    for said in possible:
        assert found[said] == pytest.approx(truth[said], abs=1e-5)


@settings(max_examples=80)
@given(emissions())
def test_times_and_word_scores_are_those_of_the_best_alignment(log_probs: Float32Array) -> None:
    every = alignments(log_probs)
    sums = np.array([log_sum(row) for row in log_probs.astype(float).tolist()])
    found = decode(log_probs, **EVERYTHING).nbest(20)
    assert log_sum(every[labels(found[0])]) == pytest.approx(max(map(log_sum, every.values())), abs=1e-5)
    for hypothesis in found:
        path = np.zeros(len(log_probs), dtype=int)
        for hit in hypothesis.words:
            path[hit.start_frame : hit.end_frame] = hit.phones[0]
        scores = log_probs[np.arange(len(path)), path] - sums
        assert scores.sum() == pytest.approx(max(every[labels(hypothesis)]) - sums.sum(), abs=1e-4)
        for hit in hypothesis.words:
            assert hit.deficit == pytest.approx(scores[hit.start_frame : hit.end_frame].sum(), abs=1e-4)


@settings(max_examples=60)
@given(emissions(frames=6), st.integers(1, 6), st.sampled_from([1.0, 3.0, np.inf]))
def test_pruning_loses_but_never_invents_probability(
    log_probs: Float32Array, prefixes: int, beam: float
) -> None:
    """A prefix that is dropped, found again and not recognised would be counted twice."""
    truth = {said: log_sum(scores) for said, scores in alignments(log_probs).items()}
    search = decode(log_probs, prefixes=prefixes, beam=beam, token_beam=np.inf)
    assert 1 <= search.active <= prefixes
    for hypothesis in search.nbest(10**6):
        assert hypothesis.score <= truth[labels(hypothesis)] + 1e-5
        assert hypothesis.deficit <= 0


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_n_best_is_sorted_and_distinct(seed: int, count: int) -> None:
    search = decode(drawn_emissions(seed, 12, len(TOKENS)), prefixes=30, beam=np.inf, token_beam=np.inf)
    found = search.nbest(count)
    assert 1 <= len(found) <= count
    assert all(a.score >= b.score for a, b in itertools.pairwise(found))
    assert len({h.text for h in found}) == len(found)
    assert found[0] == search.finish()
    assert [h.text for h in found] == [h.text for h in search.nbest(31)[:count]]


def test_likelier_than_the_best_path() -> None:
    """The example of Graves 2006: blank is best in both frames, and yet A is the likelier text."""
    log_probs = np.log(np.array([[0.6, 0.4, 1e-9, 1e-9]] * 2, dtype=np.float32))
    found = decode(log_probs).finish()
    assert found.text == "A"
    assert found.score == pytest.approx(np.log(1 - 0.36), abs=1e-5)
    assert found.silence_score == pytest.approx(np.log(0.36), abs=1e-5)


def heard(said: str, *, probability: float = 0.96) -> Float32Array:
    """One frame per letter ("_" is blank) with this probability; the others share the rest."""
    frames = np.full((len(said), len(TOKENS)), np.log((1 - probability) / 3), dtype=np.float32)
    for frame, letter in zip(frames, said, strict=True):
        frame["_ABC".index(letter)] = np.log(probability)
    return frames


def test_times_of_tokens() -> None:
    found = decode(heard("__AAA_B_BBC_")).finish()
    assert [(hit.word, hit.start_frame, hit.end_frame) for hit in found.words] == [
        ("A", 2, 5),
        ("B", 6, 7),
        ("B", 8, 10),
        ("C", 10, 11),
    ]


def test_silence_and_nothing_are_empty() -> None:
    for frames in (heard(""), heard("_____")):
        search = decode(frames)
        assert (search.best().text, search.best().outcome) == ("", "partial")
        assert (search.finish().words, search.finish().outcome) == ((), "silence")


def test_pieces_that_spell_the_same_are_one_text() -> None:
    tokens = Tokens(["<blk>", "▁a", "b", "▁ab", "▁"])
    logits = np.log(np.array([[0.1, 0.5, 0.05, 0.3, 0.05], [0.1, 0.05, 0.8, 0.025, 0.025]], np.float32))
    search = PrefixBeamSearch(tokens, units="bpe", **EVERYTHING)  # type: ignore[arg-type]
    search.push(logits)
    found = search.nbest(100)
    assert found[0].text == "ab"
    assert [h.text for h in found].count("ab") == 1
    assert [h.outcome for h in found if not h.text] == ["silence"]


def test_an_old_doubt_does_not_keep_a_stream_from_settling() -> None:
    """A and B equally likely once, then nothing but certainty: two prefixes to the end of time."""
    doubt = np.log(np.array([[0.02, 0.485, 0.485, 0.01]], dtype=np.float32))
    search = PrefixBeamSearch(TOKENS)
    search.push(doubt)
    speech = heard("_C_B_A" * 100, probability=0.9999)
    sizes = []
    for _ in range(10):
        search.push(speech)
        sizes.append(search.nbytes)
    assert sizes[-1] == sizes[4] < 1_000_000
    assert search.best().stable_words > 2500
    words = [hit.word for hit in search.finish().words]
    assert len(words) == 3001
    assert words[1:] == ["C", "B", "A"] * 1000


def exact(log_probs: Float32Array, said: Labels) -> float:
    """The sum over all alignments of one sequence by the forward algorithm (Graves 2006)."""
    states = [0, *itertools.chain.from_iterable((label, 0) for label in said)]
    forward = [0.0] + [-np.inf] * (len(states) - 1)
    for row in log_probs.astype(float).tolist():
        before = [-np.inf, -np.inf, *forward]
        forward = [
            row[label]
            + log_sum([*before[i + 1 : i + 3], before[i] if label and label != states[i - 2] else -np.inf])
            for i, label in enumerate(states)
        ]
    return log_sum(forward[-2:])


def test_old_doubts_end_in_noise_without_inventing_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_asr.decoder.prefix_beam._LONGEST", 8)
    monkeypatch.setattr("edge_asr.decoder.prefix_beam._FIRST_RECORDS", 64)
    log_probs = drawn_emissions(7, 400, len(TOKENS), spread=3.0)
    search = decode(log_probs)
    found = search.finish()
    times = [(hit.start_frame, hit.end_frame) for hit in found.words]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(times))
    assert search.best().stable_words > len(found.words) - 60
    truth = exact(log_probs, labels(found))
    assert truth - 10 < found.score <= truth + 1e-6


@pytest.mark.parametrize("wrong", [{"prefixes": 0}, {"beam": 0.0}, {"token_beam": -1.0}, {"beam": np.nan}])
def test_wrong_pruning_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="prefixes >= 1"):
        PrefixBeamSearch(TOKENS, **wrong)  # type: ignore[arg-type]


def test_no_text_asked_for_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        decode(heard("A")).nbest(0)
