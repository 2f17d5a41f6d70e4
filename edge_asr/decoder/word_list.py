"""A user's words in a file: one a line, alone or with its phones."""

from __future__ import annotations

from pathlib import Path

from edge_asr.decoder.grammar.text_file import read_utf8
from edge_asr.errors import GrammarError


def read_word_list(path: Path) -> dict[str, list[str]]:
    """Words and their pronunciations, as ``Recognizer.add_words`` takes them.

    A line is ``word`` or ``word PH PH PH``; further lines of a word are alternatives, the most likely one
    first. Empty lines and what follows a ``#`` are passed over.

    Raises
    ------
    GrammarError: the file cannot be read, is not UTF-8, or has no words.
    """
    words: dict[str, list[str]] = {}
    for line in read_utf8(path, "the word list").splitlines():
        word, *phones = line.partition("#")[0].split() or [""]
        if word:
            ways = words.setdefault(word, [])
            ways += [" ".join(phones)] if phones else []
    if not words:
        raise GrammarError("expected words, one a line, got none", source=path.name)
    return words
