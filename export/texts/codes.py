"""Codes and short orders whose words hardly predict each other: a letter, a digit, a colour, little words.

What an assistant hears worst are short words without a sentence around them: ``at`` or ``by``, ``g`` or
``t``, ``white`` or ``red``. Each kind of place is drawn evenly, so that no word is known from its neighbours.
"""

from __future__ import annotations

import random
import string

_ACTIONS = ("bin", "lay", "place", "set", "put", "move", "take", "bring", "send", "hold", "mark", "leave")
_COLOURS = (
    "blue", "green", "red", "white", "black", "yellow", "grey", "brown", "pink", "purple", "orange",
)  # fmt: skip
_PLACES = ("at", "by", "in", "with", "on", "to", "from", "for", "near", "under")
_LETTERS = tuple(string.ascii_lowercase)
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ENDINGS = ("again", "now", "please", "soon", "today", "first", "there", "next")

_ORDERS = (
    (_ACTIONS, _COLOURS, _PLACES, _LETTERS, _DIGITS, _ENDINGS),
    (_ACTIONS, _COLOURS, _PLACES, _LETTERS, _DIGITS, _ENDINGS),
    (_ACTIONS, _PLACES, _COLOURS, _LETTERS, _DIGITS),
    (_COLOURS, _LETTERS, _DIGITS, _ENDINGS),
    (_PLACES, _LETTERS, _DIGITS, _PLACES, _LETTERS, _DIGITS),
    (_LETTERS, _LETTERS, _DIGITS, _LETTERS, _DIGITS, _ENDINGS),
    (_ACTIONS, _LETTERS, _PLACES, _COLOURS, _ENDINGS),
)


def codes(count: int, seed: int) -> list[str]:
    """``count`` orders of four to six words, every word of a kind alike likely."""
    rng = random.Random(f"codes {seed}")
    return [" ".join(rng.choice(kind) for kind in rng.choice(_ORDERS)) for _ in range(count)]
