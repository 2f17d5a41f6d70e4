"""Phrases that free text shall prefer: a bonus for each word of theirs, given back where they break off.

The phrases are an Aho-Corasick automaton over words, walked beside the language model: a state of both is
one number, so that the search needs to know nothing of it. A hypothesis gets a word's bonus as soon as the
word continues a phrase, early enough for pruning, and what is *pending* is taken back when the phrase does
not come true. Where the end of one phrase lies within another, its bonus is kept.

Sources: A. Aho and M. Corasick, "Efficient string matching", Comm. ACM 18(6), 1975; I. Williams et al.,
"Contextual speech recognition in end-to-end neural network systems using beam search", Interspeech 2018.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array, Int64Array
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lm import LanguageModel
from edge_asr.errors import UsageError

MOST_WORDS: Final = 10_000
"""Bound of all phrases together: enough for a city's streets."""
_ROOT: Final = 0


class Phrases:
    """The automaton.

    Parameters
    ----------
    phrases: word numbers of each, at least one word -> bonus for each of its words (natural log).
    width: words of the vocabulary and one for the end of a sentence.

    Raises
    ------
    ValueError: a phrase without words or with a number out of range, or more than ``MOST_WORDS`` words.
    """

    def __init__(self, phrases: Mapping[tuple[int, ...], float], width: int) -> None:
        if sum(len(words) for words in phrases) > MOST_WORDS:
            raise ValueError(f"expected at most {MOST_WORDS:,} words in all phrases")
        children: list[dict[int, int]] = [{}]
        boosts: list[float] = [0.0]
        ends: list[bool] = [False]
        for words, boost in phrases.items():
            if not words or not all(0 <= word < width - 1 for word in words):
                raise ValueError(f"expected word numbers below {width - 1}, got {words}")
            node = _ROOT
            for word in words:
                if word not in children[node]:
                    children[node][word] = len(children)
                    children.append({})
                    boosts.append(boost)
                    ends.append(False)
                node = children[node][word]
                # Two phrases that begin alike: the larger bonus counts.
                boosts[node] = max(boosts[node], boost)
            ends[node] = True
        self.width = width
        self._fails, self._gains, self._pending = _settle(children, boosts, ends)
        arcs = sorted(
            (n * width + word, child) for n, row in enumerate(children) for word, child in row.items()
        )
        self._keys: Int64Array = np.array([key for key, _ in arcs], dtype=np.int64)
        self._children: Int64Array = np.array([child for _, child in arcs], dtype=np.int64)

    @property
    def nodes(self) -> int:
        """Size of the automaton."""
        return self._fails.size

    def advance(self, nodes: Int64Array, words: Int64Array) -> tuple[Float64Array, Int64Array]:
        """Bonus of each word, negative where more is taken back, and where it leads: (n,) each."""
        bonus = -self._pending[nodes]
        after = np.zeros(nodes.size, dtype=np.int64)
        left, at = np.arange(nodes.size), nodes
        while left.size and self._keys.size:
            wanted = at * self.width + words[left]
            index = np.minimum(self._keys.searchsorted(wanted), self._keys.size - 1)
            found = self._keys[index] == wanted
            child = self._children[index[found]]
            after[left[found]] = child
            bonus[left[found]] += self._gains[child]
            on = ~found & (at != _ROOT)
            left, at = left[on], self._fails[at[on]]
        return bonus, after


def _settle(
    children: Sequence[dict[int, int]], boosts: Sequence[float], ends: Sequence[bool]
) -> tuple[Int64Array, Float64Array, Float64Array]:
    """For each node: the longest shorter suffix, what is pending on arrival, and what stays pending there."""
    size = len(children)
    fails = np.zeros(size, dtype=np.int64)
    gains, pending, kept = np.zeros(size), np.zeros(size), np.zeros(size)
    totals = np.zeros(size)
    queue = deque([_ROOT])
    while queue:
        node = queue.popleft()
        for word, child in children[node].items():
            fail = int(fails[node])
            while node != _ROOT and fail != _ROOT and word not in children[fail]:
                fail = int(fails[fail])
            fails[child] = children[fail].get(word, _ROOT) if node != _ROOT else _ROOT
            totals[child] = totals[node] + boosts[child]
            gains[child] = pending[node] + boosts[child]
            # A phrase that ends here is said; so is one that ends a suffix of what was said.
            kept[child] = totals[child] if ends[child] else kept[fails[child]]
            pending[child] = 0.0 if ends[child] else max(0.0, gains[child] - kept[child])
            queue.append(child)
    return fails, gains, pending


class BiasedModel:
    """A language model with phrases beside it; as ``LanguageModel`` for a search.

    A state is ``lm state * nodes + node``.
    """

    def __init__(self, lm: LanguageModel, phrases: Phrases) -> None:
        self.lm, self.phrases = lm, phrases

    @property
    def start(self) -> int:
        """State at the beginning of a sentence."""
        return self.lm.start * self.phrases.nodes

    @property
    def states(self) -> int:
        """How many there are."""
        return self.lm.states * self.phrases.nodes

    @property
    def words(self) -> int:
        """Size of the vocabulary, and the number that ends a sentence."""
        return self.lm.words

    @property
    def unigrams(self) -> Float32Array:
        """Of the language model alone."""
        return self.lm.unigrams

    def advance(self, states: Int64Array, words: Int64Array) -> tuple[Float64Array, Int64Array]:
        """As ``LanguageModel.advance``."""
        nodes = states % self.phrases.nodes
        log_probs, after = self.lm.advance(states // self.phrases.nodes, words)
        bonus, node_after = self.phrases.advance(nodes, words)
        return log_probs + bonus, after * self.phrases.nodes + node_after


def find_phrases(loop: Graph, boosts: Mapping[str, float]) -> Phrases | None:
    """Phrases of a word loop's words; see ``Recognizer.phrases``."""
    if loop.lm is None:
        raise UsageError("phrases need a language model, which the bundle does not bring")
    if not boosts:
        return None
    numbers = {output.word: number for number, output in enumerate(loop.outputs)}
    said = {phrase: phrase.split() for phrase in boosts}
    unknown = dict.fromkeys(word for words in said.values() for word in words if word not in numbers)
    if unknown:
        raise UsageError(f"free text does not know {', '.join(map(repr, unknown))}")
    try:
        found = {tuple(numbers[word] for word in said[phrase]): boost for phrase, boost in boosts.items()}
        return Phrases(found, loop.lm.words + 1)
    except ValueError as error:
        raise UsageError(f"phrases: {error}") from error
