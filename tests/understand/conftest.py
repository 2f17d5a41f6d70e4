"""Shared by the tests of understanding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Say = Callable[..., list[str]]


@pytest.fixture(scope="session")
def say() -> Say:
    """The words of a number, as a recognizer gives them; options are num2words' own."""
    num2words = pytest.importorskip("num2words", reason="needs num2words, which speaks numbers").num2words

    def words(number: float, **options: str) -> list[str]:
        text: str = num2words(number, **options)
        return text.replace("-", " ").replace(",", "").split()

    return words
