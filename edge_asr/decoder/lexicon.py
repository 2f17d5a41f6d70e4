"""How each word is said: a pronouncing dictionary that loads in one pass and parses on demand."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable, KeysView
from pathlib import Path
from typing import TypeAlias

from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import BundleError

Pronunciation: TypeAlias = tuple[int, ...]
"""Token numbers, never blank, at least one."""

_READERS: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.decompress, ".gz": gzip.decompress}


class Lexicon:
    """Words and their pronunciations.

    The text has lines ``word PH PH PH``; further lines of the same word are alternatives, the most
    likely one first. Loading only splits words from phones (a device starts with tens of thousands
    of lines and uses a few hundred); phones become token numbers when a word is asked for.

    Parameters
    ----------
    text: the lines.
    tokens: the alphabet that the phones belong to.
    source: name for messages.

    Raises
    ------
    BundleError: a line has no phones.
    """

    def __init__(self, text: str, tokens: Tokens, *, source: str = "lexicon") -> None:
        self.tokens = tokens
        self._source = source
        entries: dict[str, str] = {}
        for line in text.split("\n"):
            word, _, phones = line.partition(" ")
            if word in entries:
                entries[word] += "\n" + phones
            else:
                entries[word] = phones
        entries.pop("", None)
        if not all(entries.values()):
            word = next(word for word, phones in entries.items() if not phones)
            raise BundleError(f"{source}: expected 'word PH PH ...', got {word!r} without phones")
        self._entries = entries

    @classmethod
    def load(cls, path: Path, tokens: Tokens) -> Lexicon:
        """Read a lexicon file: plain, ``.gz`` or ``.xz``.

        Raises
        ------
        BundleError: the file is missing, damaged or not UTF-8, or a line has no phones.
        """
        try:
            data = path.read_bytes()
            text = _READERS.get(path.suffix, bytes)(data).decode("utf-8")
        except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
            raise BundleError(f"{path}: cannot read the lexicon: {error}") from error
        return cls(text, tokens, source=path.name)

    def extended(self, text: str, *, source: str) -> Lexicon:
        """This lexicon with the lines of ``text`` put before its own: a user's names and habits.

        A word that stands in both keeps all pronunciations.
        """
        extra = Lexicon(text, self.tokens, source=source)
        both = {
            word: f"{phones}\n{self._entries[word]}"
            for word, phones in extra._entries.items()
            if word in self._entries
        }
        entries = self._entries.copy()
        entries.update(extra._entries)
        entries.update(both)
        extra._entries = entries
        return extra

    def __contains__(self, word: str) -> bool:
        return word in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def words(self) -> KeysView[str]:
        """All words, in the order of the text."""
        return self._entries.keys()

    def pronunciations(self, word: str) -> tuple[Pronunciation, ...]:
        """The distinct pronunciations of ``word``, the most likely first; none for an unknown word.

        Raises
        ------
        BundleError: the lexicon names a phone that the alphabet lacks.
        """
        lines = self._entries.get(word)
        if lines is None:
            return ()
        index = self.tokens.index
        try:
            found = [tuple([index[phone] for phone in line.split()]) for line in lines.split("\n")]
        except KeyError as error:
            raise BundleError(
                f"{self._source}: the word {word!r} uses {error.args[0]!r}, which is no token of the model"
            ) from error
        if len(found) == 1 and found[0]:
            return (found[0],)
        return tuple(dict.fromkeys(phones for phones in found if phones))
