"""Letters and digits from words, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

from edge_asr.decoder.grammar.builtin.spelling import ALPHABET
from edge_asr.understand.slot_values.number import digits

_REPEATS = {"double": 2, "triple": 3}
_CODES = {
    word: letter for letter, words in ALPHABET.items() for word in words.split("|") if " " not in word
} | {"zed": "z"}
"""Words that stand for a letter; "x ray" is the letter x and a word that adds nothing."""


def spelling(words: Sequence[str]) -> str:
    """ "b c double seven" is "bc77", "t as in tango" "t".

    Raises
    ------
    ValueError: a word that is neither letter nor digit.
    """
    text = ""
    times = 1
    left = list(words)
    while left:
        word = left.pop(0)
        if word in _REPEATS:
            times = _REPEATS[word]
            continue
        if word in ("as", "like"):
            # "as in tango": the letter was said already.
            left = left[1:] if word == "as" else left
            left = left[2:] if left[:2] == ["x", "ray"] else left[1:]
            continue
        if word == "ray" and text.endswith("x"):
            continue
        letter = word if len(word) == 1 and word in ascii_lowercase else _CODES.get(word)
        text += times * (letter or digits([word]))
        times = 1
    return text
