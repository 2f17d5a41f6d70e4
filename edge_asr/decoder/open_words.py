"""The words that an open slot of a grammar listens for: the most frequent ones of free text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asr.decoder.compile import compile_open_words
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.errors import GrammarError


@dataclass(frozen=True, kw_only=True)
class OpenWords:
    """How far the open slots of a grammar (``<anything>``, ``wildcard: true``) are open."""

    words: int = 5_000
    """How many words can be heard, the most frequent ones. A slot takes 160 bytes for each, twice that where
    its first word is entered from several places of the grammar with marks of their own."""
    word_penalty: float = -2.0
    """Natural log, added for every word, so that words of the grammar win where both fit."""

    def __post_init__(self) -> None:
        if self.words < 1:
            raise ValueError(f"expected at least one word for open slots, got {self.words}")


def open_words_graph(loop: Graph, lexicon: Lexicon, open_words: OpenWords) -> Graph:
    """What joins where a grammar is open.

    Parameters
    ----------
    loop: free text, whose language model says how frequent each word is; without a model all words are
        alike, and there must not be more than asked for.

    Raises
    ------
    GrammarError: nothing says which words are frequent.
    """
    words = [output.word for output in loop.outputs]
    if loop.lm is not None:
        weights = loop.lm.unigrams[: len(words)]
    elif len(words) <= open_words.words:
        weights = np.full(len(words), -np.log(len(words)), dtype=np.float32)
    else:
        raise GrammarError(
            f"the model's free text has {len(words):,} words and no language model that says which are "
            f"frequent: an open slot can take them only all (OpenWords(words={len(words)}))"
        )
    frequent = np.argsort(-weights, kind="stable")
    chosen = [(words[i], float(weights[i])) for i in frequent.tolist() if words[i] in lexicon]
    return compile_open_words(chosen[: open_words.words], lexicon, word_penalty=open_words.word_penalty)
