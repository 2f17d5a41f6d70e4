from __future__ import annotations

import numpy as np
import pytest
from all_alignments import collapsed, drawn_emissions
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.decoder.confidence import sentence_confidence, word_confidence
from edge_asr.decoder.greedy import GreedySearch
from edge_asr.decoder.tokens import Tokens

TOKENS = Tokens(["<blk>", "A", "B", "C"])


@settings(max_examples=60)
@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_is_the_best_token_of_each_frame_collapsed(frames: int, seed: int) -> None:
    log_probs = drawn_emissions(seed, frames, len(TOKENS))
    search = GreedySearch(TOKENS)
    search.push(log_probs)
    found = search.finish()
    labels = log_probs.argmax(axis=1)
    assert tuple(token for hit in found.words for token in hit.phones) == collapsed(tuple(labels.tolist()))
    # The times tell the whole path.
    path = np.zeros(frames, dtype=int)
    for hit in found.words:
        path[hit.start_frame : hit.end_frame] = hit.phones[0]
    assert (path == labels).all()
    best = log_probs.astype(float).max(axis=1)
    assert found.score == pytest.approx(best.sum(), abs=1e-5)
    assert found.deficit == pytest.approx(best.sum(), abs=1e-5)
    assert found.silence_score == pytest.approx(log_probs[:, 0].astype(float).sum(), abs=1e-5)
    for hit in found.words:
        assert hit.deficit == pytest.approx(best[hit.start_frame : hit.end_frame].sum(), abs=1e-5)


def test_confidence_is_the_posterior_of_a_token_on_average() -> None:
    search = GreedySearch(TOKENS)
    search.push(np.log(np.array([[0.02, 0.96, 0.01, 0.01], [0.3, 0.1, 0.1, 0.5]], dtype=np.float32)))
    found = search.finish()
    assert [round(word_confidence(hit), 4) for hit in found.words] == [0.96, 0.5]
    assert sentence_confidence(found) == pytest.approx((0.96 * 0.5) ** 0.5, abs=1e-4)
    assert (found.outcome, found.stable_words) == ("complete", 2)


def test_a_token_over_two_pushes_is_one() -> None:
    frames = np.log(np.full((1, 4), 0.01, dtype=np.float32))
    frames[0, 2] = np.log(0.97)
    search = GreedySearch(TOKENS)
    for _ in range(3):
        search.push(frames)
        assert search.best().text == "B"
    [hit] = search.finish().words
    assert (hit.start_frame, hit.end_frame) == (0, 3)
    assert hit.deficit == pytest.approx(3 * np.log(0.97), abs=1e-6)
