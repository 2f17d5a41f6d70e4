"""From grammars to a search graph: unknown words guessed, open slots filled, run-time lists joined."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from edge_asr.decoder.compile import compile_network, compile_networks
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.word_list import Entries, list_network
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.join import join
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import ANYTHING, WordNetwork
from edge_asr.decoder.open_words import OpenWords, open_words_graph
from edge_asr.decoder.unknown_words import known_part
from edge_asr.decoder.vocabulary import cover
from edge_asr.decoder.word_report import SpokenWord
from edge_asr.errors import GrammarError

Guesser: TypeAlias = Callable[[], G2p | None]
"""Loads the letter-to-phone model when it is needed; None where the bundle has none, or none is wanted."""


class Compiler:
    """Makes the graphs of one model; what all grammars share is kept.

    Parameters
    ----------
    word_loop: the graph of free text, which says what words an open slot hears.
    """

    def __init__(self, word_loop: Callable[[], Graph]) -> None:
        self._word_loop = word_loop
        self._open_words: tuple[OpenWords, Graph] | None = None

    def compile(
        self,
        networks: Sequence[WordNetwork],
        lexicon: Lexicon,
        guesser: Guesser,
        open_words: OpenWords,
        rejects: list[Reject] | None = None,
    ) -> Graph:
        """The graph of all networks; what the lexicon lacks is guessed, if there is who guesses.

        Parameters
        ----------
        rejects: takes note of words that no one can pronounce; without it they are raised.

        Raises
        ------
        GrammarError: words that no one can pronounce, by name and line; with ``rejects`` only where nothing
            is left without them.
        """
        lexicon, guessed = covered(networks, lexicon, guesser)
        graph = dataclasses.replace(compile_networks(networks, lexicon, rejects), guessed=guessed)
        if any(hole.placeholder == ANYTHING for hole in graph.holes):
            return join(graph, {ANYTHING: self._open_words_graph(open_words, lexicon)})
        return graph

    def join(
        self,
        graph: Graph,
        lists: Mapping[str, Entries],
        lexicon: Lexicon,
        guesser: Guesser,
        rejects: list[Reject] | None = None,
    ) -> Graph:
        """``graph`` with entries in its run-time lists.

        Parameters
        ----------
        rejects: takes note of entries that cannot be spoken or that no one can pronounce, which are left out;
            without it they are raised.

        Raises
        ------
        GrammarError: no grammar of ``graph`` has a list of that name; or a mistake in an entry, by name and
            place in the list.
        """
        known = {hole.placeholder.list for hole in graph.holes} - {ANYTHING.list}
        if unknown := sorted(lists.keys() - known):
            raise GrammarError(
                f"no grammar has an empty run-time list {unknown[0]!r}; "
                + (f"it has {', '.join(sorted(known))}" if known else "it has none"),
                source=unknown[0],
            )
        places = {hole.placeholder for hole in graph.holes if hole.placeholder.list in lists}
        mistakes = Mistakes(rejects)
        networks = {place: list_network(place, lists[place.list], mistakes) for place in places}
        lexicon, guessed = covered(list(networks.values()), lexicon, guesser)
        if rejects is not None:
            networks = {place: _known(network, lexicon, mistakes) for place, network in networks.items()}
        blocks = {
            place: compile_network(network, lexicon) for place, network in networks.items() if network.arcs
        }
        return dataclasses.replace(join(graph, blocks), guessed=(*graph.guessed, *guessed))

    def _open_words_graph(self, open_words: OpenWords, lexicon: Lexicon) -> Graph:
        """The same for all grammars, so the latest is kept."""
        kept = self._open_words
        if kept is None or kept[0] != open_words:
            kept = open_words, open_words_graph(self._word_loop(), lexicon, open_words)
            self._open_words = kept
        return kept[1]


def _known(network: WordNetwork, lexicon: Lexicon, mistakes: Mistakes) -> WordNetwork:
    """The network of a list without the entries that need words which the lexicon lacks."""
    unknown: list[Reject] = []
    try:
        network = known_part(network, lexicon, unknown)
    except GrammarError as error:
        unknown.append(Reject.of(error))
        network = WordNetwork(network.name)
    for reject in unknown:
        mistakes.note(GrammarError(reject.message, source=reject.source, line=reject.line))
    return network


def covered(
    networks: Sequence[WordNetwork], lexicon: Lexicon, guesser: Guesser
) -> tuple[Lexicon, tuple[SpokenWord, ...]]:
    """The lexicon with guesses for the words of ``networks`` that it lacks, and these."""
    unknown = [word for network in networks for word, _ in network.vocabulary() if word not in lexicon]
    g2p = guesser() if unknown else None
    if g2p is None:
        return lexicon, ()
    return cover(list(dict.fromkeys(unknown)), lexicon, g2p)
