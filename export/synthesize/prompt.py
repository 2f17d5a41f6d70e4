"""How a text of a manifest is written so that a synthesizer reads it as meant."""

from __future__ import annotations


def prompt(text: str) -> str:
    """Lower-case words -> what an engine is given.

    Letters become capitals, which all engines name instead of pronouncing; spelled words get commas, so that
    they are not run together. The article "a" and, in a sentence, nothing else stays small.

    >>> prompt("k t z")
    'K, T, Z.'
    >>> prompt("i want a plan b")
    'I want a plan B.'
    """
    words = text.split()
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return ", ".join(word.upper() for word in words) + "."
    written = [_written(word, alone=len(words) == 1) for word in words]
    return " ".join(written) + "."


_BRITISH = {"kokoro": ("bf_", "bm_"), "espeak-ng": ("en-gb",)}
"""Engine -> how the names of its British voices begin."""


def said(text: str, engine: str, voice: str) -> dict[str, str]:
    """How the letters of ``text`` are named where a dictionary's first way is another one: word -> phones.

    >>> said("k a z", "kokoro", "bf_emma")
    {'a': 'EY', 'z': 'Z EH D'}
    """
    words, british = text.split(), voice.startswith(_BRITISH.get(engine, ()))
    ways = {}
    if "a" in words and all(len(word) == 1 for word in words):
        ways["a"] = "EY"
    if "z" in words and british:
        ways["z"] = "Z EH D"
    return ways


def _written(word: str, *, alone: bool) -> str:
    if word == "i" or word.startswith("i'"):
        return "I" + word[1:]
    if len(word) == 1 and (word != "a" or alone):
        return word.upper()
    return word
