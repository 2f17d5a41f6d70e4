"""Texts that a measured set holds: what is spoken for training must not be among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_RUN_WORDS = 5
"""So many words in a row in common make two texts alike: shorter runs are in every language's idioms."""


class Overlap:
    """Tells whether a text is one of the given ones, or shares five words in a row with one."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._whole: set[str] = set()
        self._runs: set[tuple[str, ...]] = set()
        for text in texts:
            words = text.lower().split()
            self._whole.add(" ".join(words))
            self._runs.update(_runs(words))
        self._whole.discard("")

    def __contains__(self, text: str) -> bool:
        words = text.lower().split()
        return " ".join(words) in self._whole or any(run in self._runs for run in _runs(words))


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[i : i + _RUN_WORDS]) for i in range(len(words) - _RUN_WORDS + 1))
