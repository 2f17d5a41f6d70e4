"""Pronunciations in ARPAbet without stress: CMU's dictionary, and a guess for what it lacks.

The dictionary is the one that the ``pocketsphinx`` wheel carries (CMU's BSD-style terms); the guess is
gruut's grapheme-to-phoneme model (MIT), mapped from IPA.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import MissingExtraError, UsageError

PHONES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH"),
    *("IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V"),
    *("W", "Y", "Z", "ZH"),
)
"""CMU's 39 phones, in the order of the tokens."""

Pronunciation = tuple[str, ...]

_BEYOND_CMU: dict[str, tuple[Pronunciation, ...]] = {"z": (("Z", "EH", "D"),)}
"""What the packaged dictionary, which is American, lacks: further ways to say its words."""

# ruff: noqa: RUF001 - these letters are meant
_ARPABET = {
    "ɑ": "AA", "æ": "AE", "ʌ": "AH", "ə": "AH", "ɔ": "AO", "aʊ": "AW", "aɪ": "AY", "b": "B", "t͡ʃ": "CH",
    "d": "D", "ð": "DH", "ɛ": "EH", "ɚ": "ER", "eɪ": "EY", "f": "F", "ɡ": "G", "h": "HH", "ɪ": "IH",
    "i": "IY", "d͡ʒ": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "ŋ": "NG", "oʊ": "OW", "ɔɪ": "OY",
    "p": "P", "ɹ": "R", "s": "S", "ʃ": "SH", "t": "T", "θ": "TH", "ʊ": "UH", "u": "UW", "v": "V",
    "w": "W", "j": "Y", "z": "Z", "ʒ": "ZH",
}  # fmt: skip


class Dictionary:
    """Words to pronunciations, most usual first."""

    def __init__(self, entries: dict[str, list[Pronunciation]]) -> None:
        self._entries = entries
        self._guesses: dict[str, Pronunciation | None] = {}

    @classmethod
    def load(cls, path: Path | None = None) -> Dictionary:
        """Read a dictionary in CMU's format (``word PH PH``, ``word(2) PH PH``).

        Raises
        ------
        MissingExtraError: no ``path`` given and the pocketsphinx package is absent.
        UsageError: a line with an unknown phone.
        """
        further = {} if path else _BEYOND_CMU
        path = path or _packaged_dictionary()
        entries: dict[str, list[Pronunciation]] = {}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            head, *phones = line.split()
            phones = [p.rstrip("012") for p in phones]
            if not set(phones) <= set(PHONES):
                unknown = sorted(set(phones) - set(PHONES))[0]
                raise UsageError(f"{path}:{number}: unknown phone {unknown!r}; phones are {' '.join(PHONES)}")
            word = head.split("(")[0].lower()
            if phones and tuple(phones) not in entries.setdefault(word, []):
                entries[word].append(tuple(phones))
        for word, ways in further.items():
            entries[word] += ways
        return cls(entries)

    def __contains__(self, word: str) -> bool:
        return word in self._entries

    def words(self) -> list[str]:
        """All words, sorted."""
        return sorted(self._entries)

    def pronunciations(self, word: str) -> list[Pronunciation]:
        """Pronunciations of a word; empty where the dictionary lacks it."""
        return self._entries.get(word, [])

    def guess(self, word: str) -> Pronunciation | None:
        """A pronunciation for a word that the dictionary lacks; None where none can be had."""
        if word not in self._guesses:
            self._guesses[word] = self._from_base(word) or _grapheme_to_phoneme(word)
        return self._guesses[word]

    def with_guesses(self, words: Iterable[str]) -> Dictionary:
        """This dictionary and those of the ``words`` that it lacks: said as their base, or else as the
        packaged letter-to-phone model guesses, which takes a millisecond where gruut takes sixty."""
        said = {word: self._from_base(word) for word in words if word not in self}
        tokens = Tokens(("<blk>", *PHONES))
        model = G2p.of_language("en", tokens)
        assert model is not None, "the package has an English one with these phones"
        unsaid = [word for word, way in said.items() if way is None]
        for word, way in zip(unsaid, model.pronounce_all(unsaid), strict=True):
            said[word] = tuple(tokens.names[token] for token in way)
        return Dictionary({**self._entries, **{word: [way] for word, way in said.items() if way}})

    def pronounce(self, word: str) -> Pronunciation | None:
        """The first pronunciation of the dictionary, or else the guess."""
        known = self._entries.get(word)
        return known[0] if known else self.guess(word)

    def _from_base(self, word: str) -> Pronunciation | None:
        """A possessive or plural from the word it is made of."""
        if not word.endswith(("'s", "s'", "s")) or len(word) < 4:
            return None
        base = word[:-2] if word.endswith("'s") else word.rstrip("'")[:-1]
        known = self._entries.get(base)
        if not known:
            return None
        phones = known[0]
        if phones[-1] in {"S", "Z", "SH", "ZH", "CH", "JH"}:
            return (*phones, "IH", "Z")
        return (*phones, "S" if phones[-1] in {"P", "T", "K", "F", "TH"} else "Z")


def _packaged_dictionary() -> Path:
    spec = importlib.util.find_spec("pocketsphinx")
    if spec is None or spec.origin is None:
        raise MissingExtraError("pocketsphinx", "train", "the packaged pronunciation dictionary")
    return Path(spec.origin).parent / "model" / "en-us" / "cmudict-en-us.dict"


@functools.cache
def _grapheme_to_phoneme(word: str) -> Pronunciation | None:
    try:
        import gruut
    except ImportError as error:
        raise MissingExtraError("gruut", "train", "guessing pronunciations") from error
    ipa = [p for s in gruut.sentences(word, lang="en-us") for w in s for p in (w.phonemes or [])]
    phones = tuple(_ARPABET[p.lstrip("ˈˌ")] for p in ipa if p.lstrip("ˈˌ") in _ARPABET)
    return phones or None
