"""From a back-off model to what the runtime searches with."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Int64Array
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.lm import EMPTY, LanguageModel
from export.lm.model import END, SPECIAL, START, BackoffModel, find

_NAME = "free text"


def free_text_graph(model: BackoffModel, lexicon: Lexicon) -> Graph:
    """The word loop over all words of ``model`` that ``lexicon`` can say, with the model itself.

    n-grams with other words are left out: their probability stays with words that are never heard.
    Logarithms are unscaled: ``Graph.weighed`` applies a bundle's settings.

    Raises
    ------
    GrammarError: no word is in both.
    """
    sayable = [number for number, word in enumerate(model.words) if word in lexicon and word not in SPECIAL]
    words = [(model.words[number], float(model.log_probs[0][number])) for number in sayable]
    graph = compile_word_loop(words, lexicon, name=_NAME, homophones=True)
    return Graph(
        **{name: getattr(graph, name) for name in graph.__dataclass_fields__ if name != "lm"},
        lm=language_model(model, np.array(sayable, dtype=np.int64)),
    )


def language_model(model: BackoffModel, sayable: Int64Array) -> LanguageModel:
    """The automaton in which word i is the model's word ``sayable[i]``.

    A history becomes a state if an n-gram goes on from it or if its back-off is not 1.
    """
    size, width = len(model.words), sayable.size + 1
    number = np.full(size, -1)
    number[sayable] = np.arange(sayable.size)
    number[END] = sayable.size
    usable = [_made_of(keys, order, size, number) for order, keys in enumerate(model.keys, start=1)]

    # States, shorter histories first; state_keys[n] holds those of n words in ascending order.
    state_keys = [np.zeros(1, dtype=np.int64)]
    for order in range(1, model.order):
        goes_on = model.keys[order][usable[order]] // size
        weighted = model.keys[order - 1][usable[order - 1] & (model.backoffs[order - 1] != 0.0)]
        ends = (model.keys[order - 1] % size) == END
        histories = np.union1d(goes_on, weighted)
        state_keys.append(np.setdiff1d(histories, model.keys[order - 1][ends]))
    first = np.cumsum([0, *(keys.size for keys in state_keys)])

    def longest(ngrams: Int64Array, length: int) -> Int64Array:
        """(n-grams,) state of the longest history that the last words of each n-gram are."""
        found = np.full(ngrams.size, EMPTY)
        for words in range(1, min(length, model.order - 1) + 1):
            at = find(state_keys[words], ngrams % size**words)
            found = np.where(at >= 0, first[words] + at, found)
        return found

    keys, log_probs, next_states = [], [], []
    for order in range(2, model.order + 1):
        ngrams = model.keys[order - 1][usable[order - 1]]
        state = first[order - 1] + find(state_keys[order - 1], ngrams // size)
        keys.append(state * width + number[ngrams % size])
        log_probs.append(model.log_probs[order - 1][usable[order - 1]])
        ended = ngrams % size == END
        next_states.append(np.where(ended, EMPTY, longest(ngrams, order)))
    backoffs, backoff_states = [np.zeros(1)], [np.zeros(1, dtype=np.int64)]
    for words in range(1, model.order):
        at = find(model.keys[words - 1], state_keys[words])
        backoffs.append(model.backoffs[words - 1][at])
        backoff_states.append(longest(state_keys[words], words - 1))
    everything = np.append(sayable, END)
    flat = np.concatenate([np.empty(0, dtype=np.int64), *keys])
    order_of = np.argsort(flat)
    return LanguageModel(
        start=int(longest(np.array([START]), 1)[0]),
        unigrams=model.log_probs[0][everything].astype(np.float32),
        unigram_states=np.where(everything == END, EMPTY, longest(everything, 1)).astype(np.int32),
        keys=flat[order_of],
        log_probs=np.concatenate([np.empty(0), *log_probs])[order_of].astype(np.float32),
        next_states=np.concatenate([np.empty(0), *next_states])[order_of].astype(np.int32),
        backoffs=np.concatenate(backoffs).astype(np.float32),
        backoff_states=np.concatenate(backoff_states).astype(np.int32),
    )


def _made_of(keys: Int64Array, order: int, size: int, number: Int64Array) -> np.ndarray:
    """(n-grams,) whether every word is one that is heard; a sentence may begin and end the n-gram."""
    usable = number[keys % size] >= 0
    for back in range(1, order):
        word = keys // size**back % size
        usable &= ((number[word] >= 0) & (word != END)) | ((word == START) & (back == order - 1))
    if order == 1:
        usable |= keys == START
    return usable
