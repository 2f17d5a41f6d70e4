"""Commands of the grammars that come with the project."""

from __future__ import annotations

from pathlib import Path

import edge_asr
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.census import random_sentences

_HERE = Path(__file__).parent
_SAMPLES = Path(edge_asr.__file__).parent / "samples"


def names(count: int, seed: int) -> list[str]:
    """Calls and messages to people."""
    return random_sentences(load_grammar(_HERE / "names.jsgf"), count, seed, by_turns=True)


def car(count: int, seed: int) -> list[str]:
    """What is said in a car."""
    return random_sentences(load_grammar(_HERE / "car.jsgf"), count, seed, by_turns=True)


def home(count: int, seed: int) -> list[str]:
    """What is said to a small home."""
    drawn = random_sentences(load_grammar(_SAMPLES / "home.yaml"), count, seed, by_turns=True)
    return [_asked_once(text) for text in drawn]


def _asked_once(text: str) -> str:
    """The grammar takes any number of "please"; people say one, at the end if they said it there."""
    words = text.split()
    rest = [word for word in words if word != "please"]
    if len(rest) == len(words):
        return text
    return " ".join([*rest, "please"] if words[-1] == "please" else ["please", *rest])
