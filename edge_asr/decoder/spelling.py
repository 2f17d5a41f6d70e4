"""How a word is written, boiled down to the letters that English pronunciations are told by."""

from __future__ import annotations

import unicodedata

from edge_asr.decoder.grammar.words import phrase
from edge_asr.errors import UsageError

MAX_LETTERS = 64
"""A longer word is a mistake: the longest of the dictionary has 28."""

LETTER_NAMES = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH",
    "i": "AY", "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY",
    "q": "K Y UW", "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY",
    "w": "D AH B AH L Y UW", "x": "EH K S", "y": "W AY", "z": "Z IY",
}  # fmt: skip
"""What each letter is called, in the phones of CMU's dictionary."""

_APOSTROPHES = str.maketrans(
    dict.fromkeys("`\N{RIGHT SINGLE QUOTATION MARK}\N{ACUTE ACCENT}\N{MODIFIER LETTER APOSTROPHE}", "'")
)
# Letters that Unicode does not take apart into a plain one and a mark.
_FOLDED = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "th", "þ": "th"})


def plain_parts(word: str) -> tuple[str, ...]:
    """The parts that are spoken one after the other, in a to z and apostrophes, each with a letter in it.

    Accents fall away, numbers and a few signs become words, hyphens and other punctuation separate:
    "Café" is "cafe", "x-ray" is "x" and "ray", "mp3" is "mp" and "three".

    Raises
    ------
    UsageError: the word is longer than MAX_LETTERS, has a letter of another script or a sign without a
        name, or nothing in it is spoken.
    """
    if len(word) > MAX_LETTERS:
        raise UsageError(
            f"expected a word of at most {MAX_LETTERS} letters, got {len(word)}: {word[:20]!r}..."
        )
    try:
        spoken = [part for ways in phrase(word.translate(_APOSTROPHES)) for part in ways[0]]
    except ValueError as error:
        raise UsageError(f"{word!r} cannot be pronounced: {error}") from error
    return tuple(_plain(part, word) for part in spoken)


def _plain(part: str, word: str) -> str:
    """One part in plain letters."""
    apart = unicodedata.normalize("NFKD", part.casefold()).translate(_FOLDED)
    letters = "".join(letter for letter in apart if not unicodedata.combining(letter))
    for letter in letters:
        if letter != "'" and letter not in LETTER_NAMES:
            raise UsageError(
                f"{word!r} cannot be pronounced: {letter!r} is no letter of English; give its phones"
            )
    if not letters.strip("'"):
        raise UsageError(f"{word!r} cannot be pronounced: expected letters, got {part!r}")
    return letters
