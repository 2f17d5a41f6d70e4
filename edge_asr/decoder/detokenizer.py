"""From tokens to words without a lexicon: the tokens are phones, characters, or pieces of words (BPE)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from edge_asr.config import UNITS
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.trace import WordHit

WORD_START: Final = "\u2581"
"""SentencePiece's sign for a space; it leads the pieces that begin a word."""
_SPACES = (" ", "|", WORD_START, "<space>")
_UNSPOKEN = ("<s>", "</s>", "<sos>", "<eos>", "<sos/eos>", "<pad>")
_LONGEST_WORD = 128
"""Tokens; a longer word is cut, so that a model that never ends one does not fill the memory."""
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class TokenHit(NamedTuple):
    """One token on a path."""

    token: int
    start_frame: int
    """First frame of the token."""
    end_frame: int
    """One after its last frame."""
    start_score: float
    """Log posterior of the path just before the first frame."""
    end_score: float
    """Log posterior of the path after the last frame."""


class Spelling(NamedTuple):
    """The words of a path."""

    words: tuple[WordHit, ...]
    closed: int
    """How many of the first words no further token can change."""
    settled: int
    """How many of the first tokens only closed words are made of."""


class Detokenizer:
    """Joins tokens to words.

    ``phones``: each token is a word. ``characters``: a token named ``|``, a space, U+2581 or
    ``<space>`` stands between two words. ``bpe``: U+2581 in a piece stands for a space, so a piece
    that it leads begins a word; ``<0x41>`` is a byte of UTF-8 (SentencePiece's byte fallback). Tokens
    like ``<s>`` and ``<pad>`` say nothing.

    Raises
    ------
    ValueError: no such units.
    """

    def __init__(self, tokens: Tokens, units: str) -> None:
        if units not in UNITS:
            raise ValueError(f"expected units of {', '.join(UNITS)}, got {units!r}")
        self._parts = [_text(name, units).split(b" ") for name in tokens.names]
        """Of each token: what lies between the spaces in it."""

    def spell(self, hits: Sequence[TokenHit]) -> Spelling:
        """The words that the tokens of a path make, in order; blanks are not among the tokens.

        Times and scores of a word are those from its first to its last token.
        """
        texts: list[bytes] = []
        places: list[tuple[int, int]] = []  # tokens of each word: first, one after last
        growing = False
        for position, hit in enumerate(hits):
            for number, part in enumerate(self._parts[hit.token]):
                if number:
                    growing = False
                if part and growing and position - places[-1][0] < _LONGEST_WORD:
                    texts[-1] += part
                    places[-1] = (places[-1][0], position + 1)
                elif part:
                    texts.append(part)
                    places.append((position, position + 1))
                    growing = True
        settled = places[-1][0] if growing else len(hits)
        words = tuple(
            _word(text, hits[first:last]) for text, (first, last) in zip(texts, places, strict=True)
        )
        # A word that shares its last token with the growing one ("of the" as one piece) waits for it.
        closed = sum(last <= settled for _, last in places)
        return Spelling(words, closed, settled)


def _text(name: str, units: str) -> bytes:
    """What a token says, as UTF-8; a space ends one word and begins the next."""
    if name in _UNSPOKEN:
        return b""
    if units == "phones":
        return f" {name} ".encode()
    if units == "characters":
        return b" " if name in _SPACES else name.encode()
    byte = _BYTE.fullmatch(name)
    return bytes([int(byte[1], 16)]) if byte else name.replace(WORD_START, " ").encode()


def _word(text: bytes, hits: Sequence[TokenHit]) -> WordHit:
    return WordHit(
        word=text.decode("utf-8", errors="replace"),
        start_frame=hits[0].start_frame,
        end_frame=hits[-1].end_frame,
        phones=tuple(hit.token for hit in hits),
        weight=0.0,
        deficit=hits[-1].end_score - hits[0].start_score,
    )
