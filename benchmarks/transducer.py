"""Our search graphs as weighted transducers, which other decoders read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import BoolArray, Float64Array, Int64Array
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lm import EMPTY, LanguageModel

_UNKNOWN = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Transducer:
    """Every arc consumes one frame of its token. Weights are natural logarithms."""

    start: int
    """State before the first frame."""
    sources: Int64Array
    """(arcs,)"""
    targets: Int64Array
    """(arcs,)"""
    tokens: Int64Array
    """(arcs,) column of the log-probabilities."""
    outputs: Int64Array
    """(arcs,) 0 for none, else 1 + number of the word."""
    weights: Float64Array
    """(arcs,)"""
    final_weights: Float64Array
    """(states,) -inf where no sentence may end."""

    @classmethod
    def of(cls, graph: Graph) -> Transducer:
        """The same language with the same weights.

        The loops of the states become arcs. With a language model every state is there once for each
        history, so that word ends cost what the model says in that history: for small vocabularies only.
        """
        states = np.arange(graph.states)
        plain = cls(
            start=0,
            sources=np.concatenate([np.repeat(states, np.diff(graph.offsets)), states]),
            targets=np.concatenate([graph.targets.astype(np.int64), states]),
            tokens=np.concatenate([graph.arc_labels, graph.labels]).astype(np.int64),
            outputs=np.concatenate([graph.arc_outputs.astype(np.int64), np.zeros_like(states)]),
            weights=np.concatenate([graph.weights.astype(np.float64), np.zeros(graph.states)]),
            final_weights=graph.final_weights.astype(np.float64),
        )
        return plain._with_histories(graph.lm) if graph.lm else plain

    def _with_histories(self, lm: LanguageModel) -> Transducer:
        states, arcs = self.final_weights.size, self.sources.size
        histories = np.arange(lm.states)
        history, arc = np.repeat(histories, arcs), np.tile(np.arange(arcs), lm.states)
        after, weights = history.copy(), self.weights[arc]
        ends = np.flatnonzero(self.outputs[arc])
        words = self.outputs[arc[ends]] - 1
        log_probs, after[ends] = lm.advance(history[ends], words)
        weights[ends] += log_probs - lm.unigrams[words]
        ending, _ = lm.advance(histories, np.full(lm.states, lm.words))
        return Transducer(
            start=lm.start * states + self.start,
            sources=history * states + self.sources[arc],
            targets=after * states + self.targets[arc],
            tokens=self.tokens[arc],
            outputs=self.outputs[arc],
            weights=weights,
            final_weights=(ending[:, None] + self.final_weights).ravel(),  # (histories, states)
        )

    def text(self) -> str:
        """OpenFst's text format: costs for weights, and tokens from 1, since 0 stands for no frame."""
        order = np.argsort(self.sources != self.start, kind="stable")  # the first line tells the start
        columns = (self.sources, self.targets, self.tokens + 1, self.outputs, -self.weights)
        rows = zip(*(column[order].tolist() for column in columns), strict=True)
        arcs = "".join("{} {} {} {} {:.9g}\n".format(*row) for row in rows)
        final = np.flatnonzero(self.final_weights > -np.inf)
        costs = (-self.final_weights[final]).tolist()
        return arcs + "".join(f"{s} {c:.9g}\n" for s, c in zip(final.tolist(), costs, strict=True))


def restricted(lm: LanguageModel, words: Int64Array) -> LanguageModel:
    """The model for fewer words, numbered anew in their order; all probabilities stay as they are.

    Parameters
    ----------
    words: numbers of the words that stay, ascending.
    """
    staying = np.append(words, lm.words)  # with the end of a sentence
    number = np.full(lm.words + 1, _UNKNOWN)
    number[staying] = np.arange(staying.size)
    histories, said = np.divmod(lm.keys, lm.words + 1)
    following = np.where(said == lm.words, EMPTY, lm.next_states)
    kept: BoolArray = np.zeros(lm.states, dtype=np.bool_)
    kept[[EMPTY, lm.start, *lm.unigram_states[words].tolist()]] = True
    before = 0
    while kept.sum() > before:
        before = int(kept.sum())
        ngrams = np.flatnonzero(kept[histories] & (number[said] != _UNKNOWN))
        kept[following[ngrams]] = True
        kept[lm.backoff_states[kept]] = True
    state = np.cumsum(kept) - 1
    return dataclasses.replace(
        lm,
        start=int(state[lm.start]),
        unigrams=lm.unigrams[staying],
        unigram_states=np.append(state[lm.unigram_states[words]], EMPTY).astype(np.int32),
        keys=state[histories[ngrams]] * staying.size + number[said[ngrams]],
        log_probs=lm.log_probs[ngrams],
        next_states=state[following[ngrams]].astype(np.int32),
        backoffs=lm.backoffs[kept],
        backoff_states=state[lm.backoff_states[kept]].astype(np.int32),
    )
