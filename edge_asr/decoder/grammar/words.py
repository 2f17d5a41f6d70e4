"""From written text to the words that are spoken: lower case, no punctuation, numbers spelled out.

Apostrophes are kept ("o'clock", "kitchen's"). A hyphen separates words. ``%``, ``°``, ``&`` and ``+``
are read as words; every other punctuation mark and pictograph is silent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

from edge_asr.decoder.grammar.numbers import Words, spell_decimal
from edge_asr.decoder.network import WordNetwork
from edge_asr.errors import GrammarError

LONGEST_WORD = 100
"""Letters of a word; what has more is no word but an accident."""
SPACE = " "
"""The piece that ends a word."""

Piece = str | tuple[Words, ...]
"""A part of a word, SPACE, or a number: all ways to say it."""

_READ_ALOUD = {"%": "percent", "°": "degrees", "&": "and", "+": "plus"}
_PLAIN = re.compile(r"[A-Za-z',.!? ]+")
_PARTS = re.compile(r"[a-z']+| (?! )")
_SILENT = str.maketrans(",.!?", "    ")
_UNREADABLE = ("Sm", "Sc", "No", "Nl", "Nd")
_TOKEN = re.compile(
    r"""(?P<ordinal>\d+(?:st|nd|rd|th)\b)
      | (?P<number>(?:(?<![\w])-)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)
      | (?P<letters>[a-z]+)
      | (?P<symbol>[%°&+])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


def is_silent(text: str) -> bool:
    """Is there nothing in ``text`` that could be said? Templates count with all their words."""
    return not any(sign.isalnum() or sign in _READ_ALOUD for sign in text)


def pieces(text: str) -> tuple[Piece, ...]:
    """Cut ``text`` into parts of words, numbers, and SPACE wherever a word ends.

    Text without white space at its ends leaves its outer words open: "light" is one piece that a
    template may join to the next ("s").

    Raises
    ------
    ValueError: an ordinal number in digits, a number too large, or a sign that has no English name here.
    """
    if _PLAIN.fullmatch(text):  # as in plain_words
        return tuple(_PARTS.findall(text.lower().translate(_SILENT)))
    return _cut(text)


@lru_cache(maxsize=4096)
def _cut(text: str) -> tuple[Piece, ...]:
    found: list[Piece] = []
    text = unicodedata.normalize("NFC", text).replace("’", "'").lower()  # noqa: RUF001
    for match in _TOKEN.finditer(text):
        token = match.group()
        if match["ordinal"]:
            raise ValueError(f"write {token!r} in words, such as 'first' or 'twenty second'")
        if match["number"]:
            found += [SPACE, spell_decimal(token.replace(",", "")), SPACE]
        elif match["symbol"]:
            found += [SPACE, _READ_ALOUD[token], SPACE]
        elif (
            match["letters"] or token == "'" or token.isalpha() or unicodedata.category(token).startswith("M")
        ):
            found.append(token)
        elif unicodedata.category(token) in _UNREADABLE:
            raise ValueError(f"{token!r} has no spoken form here: write it in words")
        else:
            found.append(SPACE)
    return tuple(_joined(found))


def clean_word(text: str) -> str:
    """A finished word without the quotation marks around it; may be empty."""
    if not text.strip("'"):
        return ""
    return text[1:-1] if text.startswith("'") and text.endswith("'") else text


def phrase(text: str) -> list[tuple[Words, ...]]:
    """The words of ``text`` in order; each entry holds the alternatives of one word or number.

    Raises
    ------
    ValueError: as ``pieces``; or there is no word at all.
    """
    entries: list[tuple[Words, ...]] = [((word,),) for word in plain_words(text)]
    if entries:
        return entries
    for piece in pieces(text):
        if isinstance(piece, tuple):
            entries.append(piece)
        elif word := clean_word(piece.strip()):
            if len(word) > LONGEST_WORD:
                raise ValueError(f"expected words of up to {LONGEST_WORD} letters, got {word[:20]}...")
            entries.append(((word,),))
    if not entries:
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise ValueError(f"expected at least one word, got {shown!r}")
    return entries


def plain_words(text: str) -> list[str]:
    """The words of a text of unaccented letters, apostrophes, commas and stops; none if it has anything else
    or a word is too long.

    Most texts are of this kind, and this is ten times as fast as ``pieces``, with the same outcome.
    """
    if not _PLAIN.fullmatch(text):
        return []
    words = [word for word in map(clean_word, text.lower().translate(_SILENT).split()) if word]
    if len(text) > LONGEST_WORD and max(map(len, words), default=0) > LONGEST_WORD:
        return []
    return words


def add_plain(network: WordNetwork, source: int, target: int, words: Sequence[str], line: int) -> None:
    """Put ``words`` (at least one) in a row between two nodes.

    Raises
    ------
    GrammarSizeError: the network is full.
    """
    for word in words[:-1]:
        after = network.add_node()
        network.add(source, after, word, line=line)
        source = after
    network.add(source, target, words[-1], line=line)


def add_phrase(network: WordNetwork, source: int, target: int, text: str, line: int) -> None:
    """Put every way to say ``text`` between two nodes.

    Raises
    ------
    GrammarError: the text cannot be spoken, or the network is full.
    """
    if plain := plain_words(text):
        add_plain(network, source, target, plain, line)
        return
    try:
        entries = phrase(text)
    except ValueError as error:
        source_file, place = network.place(line)
        raise GrammarError(str(error), source=source_file, line=place) from error
    for i, alternatives in enumerate(entries):
        after = target if i == len(entries) - 1 else network.add_node()
        for words in alternatives:
            node = source
            for j, word in enumerate(words):
                end = after if j == len(words) - 1 else network.add_node()
                network.add(node, end, word, line=line)
                node = end
        source = after


def _joined(found: list[Piece]) -> list[Piece]:
    """Join runs of letters into one piece and runs of SPACE into one."""
    joined: list[Piece] = []
    for kind, run in groupby(found, key=lambda p: "number" if isinstance(p, tuple) else p == SPACE):
        group = list(run)
        if kind == "number":
            joined += group
        else:
            joined.append(SPACE if kind else "".join(str(p) for p in group))
    return joined
