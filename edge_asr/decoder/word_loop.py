"""Further words for a word loop, without building it anew.

The new words get a prefix tree of their own beside the one that is there (decoder/phone_trees.py draws
both): entered from the same places, left through the same exits. No arc or state of before changes,
so whatever was said before scores as before, and the cost is one copy of the arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import BoolArray, Float32Array, Int64Array, native
from edge_asr.decoder.compile import compile_word_loop
from edge_asr.decoder.graph import Graph, Output
from edge_asr.decoder.lexicon import Lexicon, Pronunciation
from edge_asr.decoder.tokens import BLANK, Tokens


@dataclass(frozen=True, kw_only=True, eq=False)
class Addition:
    """Words that a word loop is to know as well."""

    ways: Mapping[str, Sequence[Pronunciation]]
    """All ways to say each word: for a word that the loop lacks."""
    further: Mapping[str, Sequence[Pronunciation]]
    """The ways that the lexicon lacked: for a word that the loop has."""
    log_prob: float
    """Of each word that the loop lacks, natural log, unscaled."""


def extend_word_loop(graph: Graph, addition: Addition, *, scale: float, word_penalty: float) -> Graph:
    """The word loop and the words of ``addition``.

    Parameters
    ----------
    graph: a word loop, already weighed (``Graph.weighed``).
    scale, word_penalty: what it was weighed with.
    """
    has = {output.word: number for number, output in enumerate(graph.outputs)}
    weight = scale * addition.log_prob
    ways: dict[str, Sequence[Pronunciation]] = {}
    weights: dict[str, float] = {}
    for word in addition.ways:
        chosen = addition.further[word] if word in has else addition.ways[word]
        if chosen:
            ways[word] = chosen
            weights[word] = float(graph.lm.unigrams[has[word]]) if graph.lm and word in has else weight
    if not ways:
        return graph
    new = [word for word in ways if word not in has]
    has |= {word: number for number, word in enumerate(new, start=len(graph.outputs))}
    lexicon = _lexicon(ways, graph.tokens)
    branch = compile_word_loop(
        weights.items(), lexicon, word_penalty=word_penalty, homophones=graph.lm is not None
    )
    return replace(
        _joined(graph, branch, np.array([has[output.word] for output in branch.outputs])),
        outputs=(*graph.outputs, *map(Output, new)),
        lm=graph.lm.with_words(np.full(len(new), weight, dtype=np.float32)) if graph.lm else None,
    )


def _lexicon(ways: Mapping[str, Sequence[Pronunciation]], tokens: tuple[str, ...]) -> Lexicon:
    """The ways to say the new words and nothing else."""
    lines = [
        f"{word} {' '.join(tokens[token] for token in phones)}"
        for word, pronunciations in ways.items()
        for phones in pronunciations
    ]
    return Lexicon("\n".join(lines), Tokens(tokens))


@dataclass(frozen=True, eq=False)
class _Arcs:
    """Arcs with their sources, in any order."""

    sources: Int64Array
    targets: Int64Array
    weights: Float32Array
    outputs: Int64Array

    @classmethod
    def of(cls, graph: Graph) -> _Arcs:
        """All arcs of a graph."""
        sources = np.repeat(np.arange(graph.states), np.diff(graph.offsets))
        return cls(sources, graph.targets.astype(np.int64), graph.weights, graph.arc_outputs.astype(np.int64))

    def chosen(self, mask: BoolArray) -> _Arcs:
        """Those that the mask, one value an arc, is true for."""
        return _Arcs(self.sources[mask], self.targets[mask], self.weights[mask], self.outputs[mask])

    def leaving(self, source: int, labels: NDArray[np.int16], phone: int) -> _Arcs:
        """The same arcs from another state of this phone; into the phone itself a blank must lead."""
        arcs = self.chosen(labels[self.targets] != phone)
        return replace(arcs, sources=np.full(arcs.targets.size, source))

    @classmethod
    def into_root(cls, source: int) -> _Arcs:
        """The arc over which a word is followed by a blank."""
        nothing = np.zeros(1, dtype=np.int64)
        return cls(np.full(1, source), nothing, np.zeros(1, dtype=np.float32), nothing)


def _joined(graph: Graph, branch: Graph, numbers: Int64Array) -> Graph:
    """Both loops as one: their roots fall together, and so do the exits of one phone.

    States: those of ``graph``, the exits that only ``branch`` has, the inner states of ``branch``.

    Parameters
    ----------
    numbers: output of the whole for each output of ``branch``.
    """
    exits = {int(graph.labels[state]): int(state) for state in _exits(graph)}
    new_exits = [state for state in _exits(branch) if int(branch.labels[state]) not in exits]
    new_exit = {int(branch.labels[state]): graph.states + i for i, state in enumerate(new_exits)}
    inner = np.flatnonzero(branch.final_weights == -np.inf)
    labels = np.concatenate([graph.labels, branch.labels[new_exits], branch.labels[inner]])
    state_of = np.zeros(branch.states, dtype=np.int64)  # the root stays 0
    for state in _exits(branch):
        state_of[state] = (exits | new_exit)[int(branch.labels[state])]
    state_of[inner] = graph.states + len(new_exits) + np.arange(inner.size)

    old, new = _Arcs.of(graph), _Arcs.of(branch)
    from_inner = np.isin(new.sources, inner)
    outputs = np.concatenate([[0], 1 + numbers])[new.outputs]
    new = _Arcs(state_of[new.sources], state_of[new.targets], new.weights, outputs)
    entering, beginning = new.chosen(new.sources == 0), old.chosen(old.sources == 0)
    pieces = [old, new.chosen(from_inner), entering]
    for phone, state in exits.items():
        pieces.append(entering.leaving(state, labels, phone))
    for phone, state in new_exit.items():
        pieces += [beginning.leaving(state, labels, phone), entering.leaving(state, labels, phone)]
        pieces.append(_Arcs.into_root(state))

    sources = np.concatenate([piece.sources for piece in pieces])
    order = np.argsort(sources, kind="stable")  # of equals the arcs of before stay first
    degrees = np.bincount(native(sources), minlength=labels.size)
    ends, no_end = np.full(len(new_exits), graph.final_weights[0]), np.full(inner.size, -np.inf)
    endings, no_ending = np.full(len(new_exits), graph.state_endings[0]), np.full(inner.size, -1)
    return replace(
        graph,
        offsets=np.concatenate([[0], np.cumsum(degrees)]).astype(np.int32),
        targets=np.concatenate([piece.targets for piece in pieces])[order].astype(np.int32),
        weights=np.concatenate([piece.weights for piece in pieces])[order].astype(np.float32),
        arc_outputs=np.concatenate([piece.outputs for piece in pieces])[order].astype(np.int32),
        labels=labels,
        final_weights=np.concatenate([graph.final_weights, ends, no_end]).astype(np.float32),
        state_endings=np.concatenate([graph.state_endings, endings, no_ending]).astype(np.int32),
    )


def _exits(graph: Graph) -> Int64Array:
    """The states in which the last phone of a word is heard: there a sentence may end, as at the root."""
    return np.flatnonzero((graph.final_weights > -np.inf) & (graph.labels != BLANK))
