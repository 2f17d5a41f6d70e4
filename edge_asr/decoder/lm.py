"""A back-off n-gram model as an automaton, asked for many words at once.

A state is a history that some n-gram continues, state 0 the empty one. From state h a word w costs
log P(w | h) where the n-gram (h, w) is listed, else backoff(h) and what w costs from the longest
shorter history (S. M. Katz 1987, Estimation of probabilities from sparse data). Nothing is
approximated: a listed n-gram is never bypassed over its back-off.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import Float32Array, Float64Array, Int32Array, Int64Array, native
from edge_asr.errors import BundleError

EMPTY = 0
"""The state without history."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LanguageModel:
    """Words are numbers below ``words``; the number ``words`` itself stands for the end of a sentence."""

    start: int
    """State at the beginning of a sentence."""
    unigrams: Float32Array
    """(words + 1,) natural log; the last is the end of a sentence."""
    unigram_states: Int32Array
    """(words + 1,) state after each word where no history matters."""
    keys: Int64Array
    """(n-grams,) state * (words + 1) + word, ascending."""
    log_probs: Float32Array
    """(n-grams,) natural log."""
    next_states: Int32Array
    """(n-grams,) state after the word."""
    backoffs: Float32Array
    """(states,) natural log, 0 for the empty history."""
    backoff_states: Int32Array
    """(states,) longest shorter history, always a lower number; 0 for the empty history itself."""

    @property
    def words(self) -> int:
        """Size of the vocabulary, and the number that ends a sentence."""
        return self.unigrams.size - 1

    @property
    def states(self) -> int:
        """Number of histories."""
        return self.backoffs.size

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return sum(int(getattr(self, f.name).nbytes) for f in dataclasses.fields(self) if f.name != "start")

    def advance(self, states: Int64Array, words: Int64Array) -> tuple[Float64Array, Int64Array]:
        """What each word costs in its state, and where it leads.

        Parameters
        ----------
        states, words: (queries,).

        Returns
        -------
        log_probs: (queries,) natural log.
        states: (queries,) afterwards; meaningless after the end of a sentence.
        """
        places = native(words)
        log_probs = self.unigrams.take(places).astype(np.float64)
        after = self.unigram_states.take(places).astype(np.int64)
        pending = np.flatnonzero(states)
        at, word = states[pending], words[pending]
        spent = np.zeros(pending.size)
        while pending.size and self.keys.size:
            wanted = at * self.unigrams.size + word
            index = np.minimum(self.keys.searchsorted(wanted), self.keys.size - 1)
            listed = self.keys.take(index) == wanted
            hit, index = pending[listed], index[listed]
            log_probs[hit] = spent[listed] + self.log_probs.take(index)
            after[hit] = self.next_states.take(index)
            left = np.flatnonzero(~listed)
            pending, word, at = pending[left], word[left], at[left]
            places = native(at)
            spent = spent[left] + self.backoffs.take(places)
            at = self.backoff_states.take(places).astype(np.int64)
            empty = at == EMPTY
            log_probs[pending[empty]] += spent[empty]
            pending, word, at, spent = pending[~empty], word[~empty], at[~empty], spent[~empty]
        return log_probs, after

    def follow(self, sentences: Sequence[Sequence[int]], after: int) -> list[Float64Array]:
        """What each word of sentences asks that go on after the state ``after``, and what their ends ask.

        Returns
        -------
        (words + 1,) for each sentence, natural log.
        """
        lengths = np.array([len(words) for words in sentences], dtype=np.int64)
        rows = np.full((len(sentences), int(lengths.max(initial=0)) + 1), self.words, dtype=np.int64)
        for row, words in zip(rows, sentences, strict=True):
            row[: len(words)] = words
        log_probs = np.zeros(rows.shape)
        states = np.full(len(sentences), after, dtype=np.int64)
        for place in range(rows.shape[1]):
            going = np.flatnonzero(lengths >= place)
            log_probs[going, place], states[going] = self.advance(states[going], rows[going, place])
        return [row[: length + 1] for row, length in zip(log_probs, lengths.tolist(), strict=True)]

    def state_after(self, words: Sequence[int], after: int) -> int:
        """The state behind words that were said after the state ``after``."""
        state = np.array([after], dtype=np.int64)
        for word in words:
            _, state = self.advance(state, np.array([word], dtype=np.int64))
        return int(state[0])

    def scaled(self, scale: float) -> LanguageModel:
        """This model with every logarithm multiplied by ``scale``."""
        weight = np.float32(scale)
        return dataclasses.replace(
            self,
            unigrams=self.unigrams * weight,
            log_probs=self.log_probs * weight,
            backoffs=self.backoffs * weight,
        )

    def with_words(self, log_probs: Float32Array) -> LanguageModel:
        """This model and further words, which no n-gram continues or foretells.

        What it said of the others it still says, so the probabilities no longer sum to one: a search
        does not mind. The number that ends a sentence moves behind the new words.

        Parameters
        ----------
        log_probs: (new words,) natural log; their numbers follow those of the words so far.
        """
        words, width, more = self.words, self.unigrams.size, log_probs.size
        states, word = np.divmod(self.keys, width)
        word[word == words] += more
        return dataclasses.replace(
            self,
            unigrams=np.insert(self.unigrams, words, log_probs),
            unigram_states=np.insert(self.unigram_states, words, np.full(more, EMPTY)),
            keys=states * (width + more) + word,
        )

    def pack(self) -> dict[str, NDArray[Any]]:
        """Compact arrays for a file; logarithms keep 11 bits (the error is at most 0.004 down to -16)."""
        width = self.unigrams.size
        word = self.keys % width
        return {
            "start": np.array([self.start], dtype=np.int32),
            "unigrams": self.unigrams.astype(np.float16),
            "unigram_states": self.unigram_states,
            "arcs_of_state": np.bincount(native(self.keys // width), minlength=self.states).astype(np.int32),
            "words": word.astype(np.min_scalar_type(width)),
            "log_probs": self.log_probs.astype(np.float16),
            # Nearly always where the word alone leads: zeros compress to nothing.
            "next_states": self.next_states - self.unigram_states[word],
            "backoffs": self.backoffs.astype(np.float16),
            "backoff_states": self.backoff_states,
        }

    @classmethod
    def unpack(cls, arrays: Mapping[str, NDArray[Any]]) -> LanguageModel:
        """Inverse of ``pack``.

        Raises
        ------
        BundleError: the arrays contradict each other.
        KeyError: one is missing.
        """
        arcs, words = arrays["arcs_of_state"], arrays["words"].astype(np.int64)
        unigrams = arrays["unigrams"].astype(np.float32)
        unigram_states = arrays["unigram_states"]
        if arcs.sum() != words.size or words.max(initial=0) >= unigrams.size:
            raise BundleError("the language model's n-grams do not fit its states")
        model = cls(
            start=int(arrays["start"][0]),
            unigrams=unigrams,
            unigram_states=unigram_states,
            keys=np.repeat(np.arange(arcs.size, dtype=np.int64), arcs) * unigrams.size + words,
            log_probs=arrays["log_probs"].astype(np.float32),
            next_states=arrays["next_states"] + unigram_states[words],
            backoffs=arrays["backoffs"].astype(np.float32),
            backoff_states=arrays["backoff_states"],
        )
        model._check()
        return model

    def _check(self) -> None:
        """Refuse what would make ``advance`` wrong or endless."""
        states = np.concatenate([[self.start], self.unigram_states, self.next_states, self.backoff_states])
        sizes = (self.keys.size, self.log_probs.size, self.next_states.size)
        if (
            len(set(sizes)) > 1
            or self.backoff_states.size != self.states
            or self.unigram_states.size != self.unigrams.size
            or not ((states >= 0) & (states < self.states)).all()
            or not (self.backoff_states < np.maximum(np.arange(self.states), 1)).all()
            or not (np.diff(self.keys) > 0).all()
        ):
            raise BundleError("the language model's states or n-grams contradict each other")
