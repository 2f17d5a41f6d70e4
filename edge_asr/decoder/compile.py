"""From words to the search graph: grammars, open slots and free text (phone_trees.py lays it out)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.graph import Ending, Graph, Hole, Output
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import Placeholder, WordNetwork
from edge_asr.decoder.phone_trees import Rows, lay_out
from edge_asr.decoder.unknown_words import known_part, require_known, require_known_words, without_optional
from edge_asr.decoder.wordgraph import Step, WordGraph, build_word_graph
from edge_asr.errors import GrammarError
from edge_asr.garbage import collector_paused


def compile_network(network: WordNetwork, lexicon: Lexicon, rejects: list[Reject] | None = None) -> Graph:
    """The search graph of one grammar; see ``compile_networks``."""
    return compile_networks((network,), lexicon, rejects)


@collector_paused()
def compile_networks(
    networks: Sequence[WordNetwork], lexicon: Lexicon, rejects: list[Reject] | None = None
) -> Graph:
    """The search graph that accepts a sentence of any of ``networks``.

    Parameters
    ----------
    rejects: takes note of words that the lexicon lacks, and of grammars of which nothing is left; the
        ways that need them are left out. Without it they are raised.

    Raises
    ------
    GrammarError: words that the lexicon lacks (all of a grammar in one message), a cycle without
        words, a grammar without a sentence, or nothing left of any grammar.
    GrammarSizeError: the graph would be too large.
    """
    if not networks:
        raise ValueError("expected at least one network")
    parts = _known_parts(networks, lexicon, rejects)
    return compile_word_graph(build_word_graph(parts), lexicon, ", ".join(part.name for part in parts))


def compile_word_graph(graph: WordGraph, lexicon: Lexicon, name: str) -> Graph:
    """The search graph of a word graph whose words are all known; ``name`` stands in errors.

    Raises
    ------
    GrammarSizeError: the search graph would be too large.
    """
    spoken, holes = _without_holes(graph)
    sources, targets, weights, outputs = [], [], [], []
    for node, steps in spoken.steps.items():
        for output, weight, target in steps:
            sources.append(node)
            targets.append(target)
            weights.append(weight)
            outputs.append(output)
    said = {output.word: lexicon.pronunciations(output.word) for output in spoken.outputs}
    pronunciations = [said[output.word] for output in spoken.outputs]
    rows = Rows.of(sources, targets, weights, outputs, pronunciations, name)
    endings = tuple(dict.fromkeys(ending for _, ending in graph.finals.values()))
    numbers = {ending: number for number, ending in enumerate(endings)}
    final_weights = np.full(len(graph.steps), -np.inf)
    node_endings = np.full(len(graph.steps), -1)
    for node, (weight, ending) in graph.finals.items():
        final_weights[node] = weight
        node_endings[node] = numbers[ending]
    made = lay_out(
        rows, final_weights, node_endings, tuple(spoken.outputs), endings, lexicon.tokens.names, name=name
    )
    return replace(made, holes=holes)


def _known_parts(
    networks: Sequence[WordNetwork], lexicon: Lexicon, rejects: list[Reject] | None
) -> list[WordNetwork]:
    """The networks as far as the lexicon knows their words."""
    parts: list[WordNetwork] = []
    errors: list[GrammarError] = []
    for network in networks:
        if rejects is None:
            network = without_optional(network, lexicon)
            require_known(network, lexicon)
            parts.append(network)
            continue
        try:
            parts.append(known_part(network, lexicon, rejects))
        except GrammarError as error:
            errors.append(error)
    if rejects is not None and parts:
        rejects += map(Reject.of, errors)
    elif errors:
        raise errors[0]
    return parts


def _without_holes(graph: WordGraph) -> tuple[WordGraph, tuple[Hole, ...]]:
    """The steps that say words, and the places where words join later."""
    kept = [number for number, output in enumerate(graph.outputs) if not isinstance(output.word, Placeholder)]
    number_of = {old: new for new, old in enumerate(kept)}
    steps: dict[int, list[Step]] = {node: [] for node in graph.steps}
    best: dict[tuple[int, int, int], float] = {}
    for node, leaving in graph.steps.items():
        for output, weight, target in leaving:
            if output in number_of:
                steps[node].append((number_of[output], weight, target))
            else:
                place = (node, target, output)
                best[place] = max(weight, best.get(place, weight))
    holes = []
    for (node, target, output), weight in best.items():
        word, before, _ = graph.outputs[output]
        assert isinstance(word, Placeholder)
        holes.append(Hole(node, target, word, before, weight))
    return WordGraph(steps, graph.finals, [graph.outputs[old] for old in kept]), tuple(holes)


def compile_open_words(
    words: Iterable[tuple[str, float]], lexicon: Lexicon, *, word_penalty: float = 0.0
) -> Graph:
    """What joins at ``network.ANYTHING``: one or more of ``words``, in any order.

    Parameters
    ----------
    words: each word once, with its natural log probability.
    word_penalty: added for every word (negative values make words dearer).

    Raises
    ------
    GrammarError: words that the lexicon lacks, all in one message; or no words at all.
    """
    weights = dict(words)
    if not weights:
        raise GrammarError("an open slot needs at least one word")
    require_known_words(weights, lexicon, source="")
    # From node 0 to 1, and from 1 to itself.
    rows = Rows.of(
        np.repeat([0, 1], len(weights)),
        np.ones(2 * len(weights), int),
        np.tile([weight + word_penalty for weight in weights.values()], 2),
        np.tile(np.arange(len(weights)), 2),
        [lexicon.pronunciations(word) for word in weights],
        "open words",
    )
    outputs = tuple(Output(word) for word in weights)
    finals = np.array([-np.inf, 0.0]), np.array([-1, 0])
    return lay_out(rows, *finals, outputs, (Ending(""),), lexicon.tokens.names, name="open words")


def compile_word_loop(
    words: Iterable[tuple[str, float]],
    lexicon: Lexicon,
    *,
    scale: float = 1.0,
    word_penalty: float = 0.0,
    name: str = "",
    homophones: bool = False,
) -> Graph:
    """The search graph of free text: any words in any order.

    Parameters
    ----------
    words: each word once, with its natural log probability.
    scale: factor on the log-probabilities.
    word_penalty: added for every word (negative values make words dearer).
    name: what a result gives as its network.
    homophones: keep all words that sound alike, for a language model to choose; else only the best.

    Raises
    ------
    GrammarError: words that the lexicon lacks, all in one message; or no words at all.
    """
    weights = dict(words)
    if not weights:
        raise GrammarError("a word loop needs at least one word", source=name)
    require_known_words(weights, lexicon, source=name)
    rows = Rows.of(
        [0] * len(weights),
        [0] * len(weights),
        [scale * weight + word_penalty for weight in weights.values()],
        range(len(weights)),
        [lexicon.pronunciations(word) for word in weights],
        name,
    )
    outputs = tuple(Output(word) for word in weights)
    return lay_out(
        rows,
        np.zeros(1),
        np.zeros(1, int),
        outputs,
        (Ending(name),),
        lexicon.tokens.names,
        homophones=homophones,
        name=name,
    )
