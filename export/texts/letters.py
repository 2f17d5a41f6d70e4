"""Spelled words, codes of letters and digits, and letters with the words that tell them apart."""

from __future__ import annotations

import random
import string

from edge_asr.decoder.grammar.numbers import spell_integer

_ALPHABET = (
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo",
    "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor",
    "whiskey", "x ray", "yankee", "zulu",
)  # fmt: skip
"""Of ICAO, in the spelling of dictionaries."""


def letters(count: int, seed: int) -> list[str]:
    """``count`` sequences of one to seven letters, every letter alike likely."""
    rng = random.Random(f"letters {seed}")
    return [_sequence(rng) for _ in range(count)]


def _sequence(rng: random.Random) -> str:
    drawn = rng.choices(string.ascii_lowercase, k=rng.randint(1, 7))
    kind = rng.choice(("plain", "plain", "code", "alphabet", "as in"))
    if kind == "code":
        digits = [spell_integer(rng.randrange(10))[0][0] for _ in range(rng.randint(1, 3))]
        return " ".join([*drawn[:4], *digits])
    if kind == "alphabet":
        return " ".join(_ALPHABET[ord(letter) - ord("a")] for letter in drawn[:4])
    if kind == "as in":
        return f"{drawn[0]} as in {_ALPHABET[ord(drawn[0]) - ord('a')]}"
    return " ".join(drawn)
