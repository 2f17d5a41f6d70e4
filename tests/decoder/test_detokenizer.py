from __future__ import annotations

import pytest

from edge_asr.decoder.detokenizer import Detokenizer, Spelling, TokenHit
from edge_asr.decoder.tokens import Tokens

PIECES = ["▁the", "▁li", "ving", "room", "▁", "▁of▁a", "<0xC3>", "<0xA9>", "<s>", "s"]
CHARACTERS = ["a", "b", "'", "|", " ", "▁", "<space>", "<pad>"]


def spell(names: list[str], said: list[str], units: str) -> Spelling:
    """Tokens of two frames each, one frame apart, each a nat less likely than the one before."""
    tokens = Tokens(["<blk>", *names])
    hits = [
        TokenHit(tokens.index[name], 3 * i, 3 * i + 2, -float(i), -float(i + 1))
        for i, name in enumerate(said)
    ]
    return Detokenizer(tokens, units).spell(hits)


@pytest.mark.parametrize(
    ("names", "units", "said", "words", "closed", "settled"),
    [
        (["AA", "B"], "phones", ["B", "AA", "B"], ["B", "AA", "B"], 3, 3),
        (["AA", "B"], "phones", [], [], 0, 0),
        (PIECES, "bpe", ["▁the", "▁li", "ving"], ["the", "living"], 1, 1),
        (PIECES, "bpe", ["▁the", "▁li", "ving", "▁", "room"], ["the", "living", "room"], 2, 4),
        (PIECES, "bpe", ["▁the", "▁"], ["the"], 1, 2),
        (PIECES, "bpe", ["room", "▁the"], ["room", "the"], 1, 1),
        (PIECES, "bpe", ["▁li", "<0xC3>", "<0xA9>", "s"], ["liés"], 0, 0),
        (PIECES, "bpe", ["▁li", "<0xC3>"], ["li\N{REPLACEMENT CHARACTER}"], 0, 0),
        (PIECES, "bpe", ["<s>", "▁the", "<s>", "s"], ["thes"], 0, 1),
        # One piece with two words: the first is known, but not free of the second.
        (PIECES, "bpe", ["▁the", "▁of▁a", "s"], ["the", "of", "as"], 1, 1),
        (CHARACTERS, "characters", ["a", "b", "|", "a"], ["ab", "a"], 1, 3),
        (CHARACTERS, "characters", ["|", "|", "a", "'", "b", "|"], ["a'b"], 1, 6),
        (CHARACTERS, "characters", ["a", " ", "b", "▁", "a", "<space>", "b"], ["a", "b", "a", "b"], 3, 6),
        (CHARACTERS, "characters", ["a", "<pad>", "b"], ["ab"], 0, 0),
        (CHARACTERS, "characters", ["|"], [], 0, 1),
    ],
)
def test_tokens_make_words(
    names: list[str], units: str, said: list[str], words: list[str], closed: int, settled: int
) -> None:
    spelling = spell(names, said, units)
    assert [hit.word for hit in spelling.words] == words
    assert (spelling.closed, spelling.settled) == (closed, settled)


def test_a_word_lasts_from_its_first_to_its_last_token() -> None:
    _, living = spell(PIECES, ["▁the", "▁", "▁li", "ving", "▁"], "bpe").words
    assert (living.word, living.start_frame, living.end_frame, living.deficit) == ("living", 6, 11, -2.0)
    assert living.phones == (2, 3)


def test_a_word_without_end_is_cut() -> None:
    """A model that never says a space would fill the memory of a stream without end."""
    spelling = spell(CHARACTERS, ["a"] * 300, "characters")
    assert [len(hit.word) for hit in spelling.words] == [128, 128, 44]
    assert (spelling.closed, spelling.settled) == (2, 256)


def test_unknown_units_are_refused() -> None:
    with pytest.raises(ValueError, match="phones, characters, bpe, got 'words'"):
        Detokenizer(Tokens(["<blk>", "a"]), "words")
