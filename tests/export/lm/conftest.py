from __future__ import annotations

import random

import pytest


@pytest.fixture(scope="session")
def sentences() -> list[list[str]]:
    """A small text with frequent and rare words, and words that like each other."""
    rng = random.Random(7)
    after = {"": "abcde", "a": "bbbc", "b": "ccda", "c": "abde", "d": "dea", "e": "abcdef", "f": "aa"}
    text = []
    for _ in range(60):
        words: list[str] = []
        for _ in range(rng.randint(1, 7)):
            words.append(rng.choice(after[words[-1] if words else ""]))
        text.append(words)
    return text
