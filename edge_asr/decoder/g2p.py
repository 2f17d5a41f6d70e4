"""A guess how a word is said: a small letter-to-phone network, read greedily.

Each letter answers with a few frames, and the frames are read by CTC's rule: repeats merge, blanks
fall away (Graves et al. 2006, Connectionist Temporal Classification). Words are run together with
others of their length only: nothing is padded, and a word is said the same in any company.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from edge_asr.acoustic.runner import open_runner
from edge_asr.arrays import Float32Array, Int64Array
from edge_asr.bundle import G2P, Bundle, packaged_g2p
from edge_asr.decoder.lexicon import Lexicon, Pronunciation
from edge_asr.decoder.spelling import LETTER_NAMES, plain_parts
from edge_asr.decoder.tokens import BLANK, BLANK_NAME, Tokens
from edge_asr.errors import BundleError

LETTERS_KEY, TOKENS_KEY = "letters", "tokens"
"""Metadata of the file: the letters in the order of their numbers, the outputs' names separated by spaces."""

_WORDS_PER_RUN = 256


class ForeignPhonesError(BundleError):
    """A letter-to-phone model that says phones which the acoustic model lacks."""


class G2p:
    """The network in memory; threads may share it.

    Parameters
    ----------
    graph: an ONNX file with an input ``letters`` (words, length), an output ``log_probs`` (words, frames,
        tokens) and the metadata above.
    tokens: of the acoustic model; pronunciations are made of them.

    Raises
    ------
    BundleError: the file cannot be read.
    ForeignPhonesError: it says phones that the acoustic model lacks.
    """

    def __init__(self, graph: Path, tokens: Tokens) -> None:
        self.path = graph
        """The file."""
        self.tokens = tokens
        """Of the acoustic model."""
        self._runner = open_runner(graph)
        self.metadata: dict[str, str] = self._runner.metadata
        """What the file says about itself."""
        letters, names = (self._metadata(key) for key in (LETTERS_KEY, TOKENS_KEY))
        self._numbers = {letter: number for number, letter in enumerate(letters)}
        if not {"'", *LETTER_NAMES} <= set(letters):
            raise BundleError(f"{graph}: expected the letters a to z and the apostrophe, got {letters!r}")
        index = tokens.index
        unknown = [name for name in names.split() if name not in index]
        if unknown or names.split()[0] != BLANK_NAME:
            wrong = unknown[0] if unknown else names.split()[0]
            raise ForeignPhonesError(
                f"{graph}: says {wrong!r}, which is no token of the acoustic model there"
            )
        self._token_of = np.array([index[name] for name in names.split()])
        shapes = self._runner.shapes
        if shapes.keys() != {"letters", "log_probs"} or shapes["log_probs"][2:] != (self._token_of.size,):
            raise BundleError(
                f"{graph}: expected letters (words, length) and log_probs (words, frames, "
                f"{self._token_of.size}), got {shapes}"
            )

    @classmethod
    def of_language(cls, language: str, tokens: Tokens) -> G2p | None:
        """The packaged model of a language; None where there is none, or none with these phones.

        Raises
        ------
        BundleError: the file was changed.
        """
        path = packaged_g2p(language)
        try:
            return cls(path, tokens) if path else None
        except ForeignPhonesError:
            return None

    @classmethod
    def of_bundle(cls, bundle: Bundle, tokens: Tokens) -> G2p | None:
        """What a bundle brings, else what the package has for its language; errors as in the class."""
        if G2P in bundle.config.files:
            return cls(bundle.path(G2P), tokens)
        return cls.of_language(bundle.config.language, tokens)

    def _metadata(self, key: str) -> str:
        if not self.metadata.get(key):
            raise BundleError(
                f"{self.path}: the file does not say its {key}: is this a letter-to-phone model?"
            )
        return self.metadata[key]

    def pronounce(self, word: str) -> Pronunciation:
        """A guess at one word; see ``pronounce_all``."""
        return self.pronounce_all([word])[0]

    def pronounce_all(self, words: Sequence[str], lexicon: Lexicon | None = None) -> list[Pronunciation]:
        """A guess at each word, never an empty one.

        Parameters
        ----------
        words: in any writing that ``plain_parts`` takes.
        lexicon: says the parts that it knows.

        Raises
        ------
        UsageError: a word that cannot be taken apart, by name.
        BundleError: a letter has to be spelled, and the acoustic model lacks a phone of its name.
        """
        parts = [plain_parts(word) for word in words]
        said: dict[str, Pronunciation] = {}
        for part in dict.fromkeys(chain.from_iterable(parts)):
            known = lexicon.pronunciations(part) if lexicon else ()
            if len(part.replace("'", "")) == 1:
                said[part] = self._spelled(part)
            elif known:
                said[part] = known[0]
        guessed = [part for part in dict.fromkeys(chain.from_iterable(parts)) if part not in said]
        for part, path in zip(guessed, self.log_probs(guessed), strict=True):
            said[part] = self._collapse(path.argmax(axis=1)) or self._spelled(part)
        return [tuple(chain.from_iterable(said[part] for part in of_word)) for of_word in parts]

    def log_probs(self, parts: Sequence[str]) -> list[Float32Array]:
        """The network's answers to words in plain letters: (frames, tokens) each, natural log."""
        answers: list[Any] = [None] * len(parts)
        numbers = self._numbers
        order = sorted(range(len(parts)), key=lambda index: len(parts[index]))
        for run in _runs_of_one_length(order, parts):
            letters = np.array([[numbers[letter] for letter in parts[index]] for index in run])
            log_probs = self._runner.run({"letters": letters})["log_probs"]
            for index, answer in zip(run, log_probs, strict=True):
                answers[index] = answer
        return answers

    def _collapse(self, path: Int64Array) -> Pronunciation:
        """The acoustic model's tokens of the best output of each frame."""
        changed = np.concatenate([[True], path[1:] != path[:-1]])
        return tuple(self._token_of[path[changed & (path != BLANK)]].tolist())

    def _spelled(self, part: str) -> Pronunciation:
        """The names of the letters."""
        phones = " ".join(LETTER_NAMES[letter] for letter in part if letter != "'").split()
        try:
            return tuple(self.tokens.index[phone] for phone in phones)
        except KeyError as error:
            raise BundleError(
                f"{self.path}: {part!r} must be spelled, but {error.args[0]!r} is no token of the model"
            ) from error


def _runs_of_one_length(order: Sequence[int], parts: Sequence[str]) -> list[list[int]]:
    """Cut word numbers, sorted by the words' lengths, into runs of equal length and bounded size."""
    runs: list[list[int]] = []
    for index in order:
        if runs and len(runs[-1]) < _WORDS_PER_RUN and len(parts[runs[-1][0]]) == len(parts[index]):
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs
