"""The background that sentences of a grammar must stand up to: all phone sequences, weighed by a bigram.

The bigram is what the words of the lexicon make of it, each as often as free text says it: within words
the pairs of their phones, between words the last phone of any and the first of any other. Nothing but the
bundle's own files is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from edge_asr.arrays import Float64Array
from edge_asr.decoder.compile import compile_network
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import WordNetwork
from edge_asr.decoder.tokens import Tokens
from export.criterion.phone_lm import BOUNDARY, smooth

SENTENCE_WORDS: Final = 8.0
"""Mean length of what is said to a device: how often a word is the last one."""
_WORDS: Final = 1e5
"""How many words the bigram counts as: the more, the less it is smoothed."""


def phone_bigram(words: Iterable[tuple[str, float]], lexicon: Lexicon) -> Float64Array:
    """P(next phone | phone): (tokens, tokens), index 0 is the beginning and the end of an utterance.

    Parameters
    ----------
    words: each with its natural log probability; of several pronunciations the first counts.
    """
    tokens = len(lexicon.tokens)
    counts = np.zeros((tokens, tokens))
    first, last = np.zeros(tokens), np.zeros(tokens)
    for word, log_prob in words:
        phones = lexicon.pronunciations(word)[0]
        share = float(np.exp(log_prob))
        np.add.at(counts, (phones[:-1], phones[1:]), share)
        first[phones[0]] += share
        last[phones[-1]] += share
    total = first.sum()
    counts += np.outer(last, first) / total * (1 - 1 / SENTENCE_WORDS)
    counts[BOUNDARY] += first / SENTENCE_WORDS
    counts[:, BOUNDARY] += last / SENTENCE_WORDS
    return smooth(counts * _WORDS / total)


def phone_loop(words: Iterable[tuple[str, float]], lexicon: Lexicon) -> Graph:
    """The search graph of all phone sequences; each phone is a word of its own."""
    # Sixteenths: finer than the bigram is exact, and a third smaller as a file.
    return bigram_loop(np.round(16 * np.log(phone_bigram(words, lexicon))) / 16, lexicon.tokens)


def bigram_loop(bigram: Float64Array, tokens: Tokens) -> Graph:
    """The same for any bigram of phones: (tokens, tokens) log-probabilities."""
    network = WordNetwork("phones")
    nodes = [network.start, *(network.add_node() for _ in tokens.names[1:])]
    for before, source in enumerate(nodes):
        network.add(source, network.end, weight=float(bigram[before, BOUNDARY]))
        for phone in range(1, len(tokens)):
            network.add(source, nodes[phone], tokens.names[phone], weight=float(bigram[before, phone]))
    spelled = Lexicon("".join(f"{phone} {phone}\n" for phone in tokens.names[1:]), tokens)
    return compile_network(network, spelled)
