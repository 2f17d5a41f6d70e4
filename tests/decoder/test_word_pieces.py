from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.word_pieces import LETTERS, MARK, WordPieces, plain_letters
from edge_asr.errors import BundleError

LONGER = {"_the": -2.0, "_a": -2.5, "an": -3.0, "th": -4.0, "_th": -3.5, "he": -3.0, "_an": -3.0, "nn": -5.0}
PIECES = {**{letter: -6.0 - 0.1 * number for number, letter in enumerate(MARK + LETTERS)}, **LONGER}
CUTTER = WordPieces(list(PIECES), list(PIECES.values()))


def spelled(word: str) -> list[str]:
    return [CUTTER.pieces[number - 1] for number in CUTTER.encode(word)]


@given(st.text(alphabet="athen'", max_size=7))
def test_a_word_is_cut_the_best_way(word: str) -> None:
    marked = MARK + word
    ways = []
    for cuts in itertools.product([False, True], repeat=len(marked) - 1):
        bounds = [0, *(at for at, cut in enumerate(cuts, start=1) if cut), len(marked)]
        pieces = [marked[a:b] for a, b in itertools.pairwise(bounds)]
        if all(piece in PIECES for piece in pieces):
            ways.append(sum(PIECES[piece] for piece in pieces))
    assert "".join(spelled(word)) == marked
    assert math.isclose(sum(PIECES[piece] for piece in spelled(word)), max(ways))


@given(st.text(max_size=12))
def test_whatever_a_word_is_written_with_it_has_pieces(word: str) -> None:
    assert "".join(spelled(word)) == MARK + plain_letters(word)
    assert CUTTER.encode(word) == CUTTER.encode(word)


def test_accents_are_taken_off() -> None:
    assert spelled("Théa") == spelled("thea") == ["_the", "a"]
    assert spelled("7") == [MARK]


@pytest.mark.parametrize(
    ("pieces", "named"),
    [
        ([*PIECES, "the the"], "the the"),
        ([*PIECES, "x_"], "x_"),
        ([*PIECES, "an"], "twice"),
        ([piece for piece in PIECES if piece != "q"], "'q' is no piece"),
        ([*PIECES, ""], "''"),
    ],
)
def test_wrong_pieces_are_named(pieces: list[str], named: str) -> None:
    with pytest.raises(BundleError, match=named):
        WordPieces(pieces, [-1.0] * len(pieces))


def test_each_piece_needs_its_logarithm() -> None:
    with pytest.raises(BundleError, match="finite"):
        WordPieces(list(PIECES), [-1.0])
    with pytest.raises(BundleError, match="finite"):
        WordPieces(list(PIECES), [math.nan] * len(PIECES))
