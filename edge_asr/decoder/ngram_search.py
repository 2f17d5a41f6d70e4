"""Viterbi search with a language model: one lexicon tree for all, the history carried by the hypothesis.

A hypothesis is a state of the word loop and a state of the language model. Within a word it pays
the loop's unigram weights, spent early by the tree, so that pruning sees them; at the word's last
phone what the model asks beyond the unigram is added (look-ahead by unigrams: S. Ortmanns and
H. Ney 2000, Look-ahead techniques for fast beam search). Two hypotheses meet only where both states
are the same, so without pruning the result is the best over all word sequences, with exact
back-off scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge_asr.arrays import Float64Array, Int64Array, native
from edge_asr.decoder.arena import NONE
from edge_asr.decoder.biasing import BiasedModel, Phrases
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lm import LanguageModel
from edge_asr.decoder.paths import Moves
from edge_asr.decoder.search import Search
from edge_asr.decoder.trace import Hypothesis

_INT64_BITS = 63


class NgramSearch(Search):
    """``Search`` over a word loop that brings a language model; the verbs are the same."""

    def __init__(
        self,
        graph: Graph,
        *,
        beam: float = 14.0,
        max_active: int = 2500,
        token_offsets: Sequence[float] = (),
        alternatives: float = 0.0,
        settle_frames: int = 0,
    ) -> None:
        if graph.lm is None:
            raise ValueError("expected a graph with a language model: use Search")
        self._lm: LanguageModel | BiasedModel = graph.lm
        super().__init__(
            graph,
            beam=beam,
            max_active=max_active,
            token_offsets=token_offsets,
            alternatives=alternatives,
            settle_frames=settle_frames,
        )
        self._key_bits = self._bits()

    def _bits(self) -> int:
        # A key is (history, state, number of the candidate), sorted as one integer: the number costs
        # nothing then and comes out with the key.
        return (self._lm.states * self.graph.states - 1).bit_length()

    def reset(self) -> None:
        """Forget everything: afterwards the search equals a new one."""
        super().reset()
        self._histories: Int64Array = np.full(1, self._lm.start, dtype=np.int64)

    def bias(self, phrases: Phrases | None) -> None:
        """Prefer these phrases from the next frame on, or none; a bonus once given is kept.

        Raises
        ------
        ValueError: the phrases' words are numbered for another vocabulary.
        """
        if phrases is not None and phrases.width != self._lm.words + 1:
            raise ValueError(f"expected phrases of {self._lm.words} words, got {phrases.width - 1}")
        if isinstance(self._lm, BiasedModel):
            self._histories = self._histories // self._lm.phrases.nodes
            self._lm = self._lm.lm
        if phrases is not None:
            self._lm = BiasedModel(self._lm, phrases)
            self._histories = self._histories * phrases.nodes
        self._key_bits = self._bits()

    def word_log_probs(self, found: Sequence[Hypothesis]) -> list[Float64Array]:
        """What the language model alone asks for each word of this search's sentences and for their ends.

        Returns
        -------
        (words + 1,) for each sentence, natural log, scaled as the graph is; without bonuses and penalties.
        """
        lm = self._lm.lm if isinstance(self._lm, BiasedModel) else self._lm
        lengths = np.array([len(hypothesis.words) for hypothesis in found], dtype=np.int64)
        words = np.full((len(found), int(lengths.max(initial=0)) + 1), lm.words, dtype=np.int64)
        for row, hypothesis in zip(words, found, strict=True):
            row[: len(hypothesis.words)] = [hit.output for hit in hypothesis.words]
        log_probs = np.zeros(words.shape)
        states = np.full(len(found), lm.start, dtype=np.int64)
        for place in range(words.shape[1]):
            going = np.flatnonzero(lengths >= place)
            log_probs[going, place], states[going] = lm.advance(states[going], words[going, place])
        return [row[: length + 1] for row, length in zip(log_probs, lengths.tolist(), strict=True)]

    def _step(self, emission: Float64Array) -> None:
        """Advance all hypotheses by one frame; ``emission`` is (tokens,)."""
        graph = self.graph
        states, scores = self._states, self._scores

        degrees = self._degrees[states]
        origin = np.repeat(np.arange(states.size), degrees)  # (candidates,) index of the hypothesis
        arcs = (self._first_arcs[states] - degrees.cumsum() + degrees)[origin]
        arcs += np.arange(arcs.size)
        moved = scores[origin]
        moved += graph.weights.take(arcs)
        moved += emission.take(graph.arc_labels.take(arcs))
        stayed = scores + emission[graph.labels[states]]

        top = max(stayed.max(initial=-math.inf), moved.max(initial=-math.inf))
        near = np.flatnonzero(moved > top - self._beam)
        moved, arcs, origin = moved[near], arcs[near], origin[near]
        histories = self._histories[origin]
        beyond = self._finish_words(arcs, histories)
        moved += beyond

        # Words dearer than their unigram have moved away from the best, others towards it.
        top = max(stayed.max(initial=-math.inf), moved.max(initial=-math.inf))
        staying = np.flatnonzero(stayed > top - self._beam)
        moving = np.flatnonzero(moved > top - self._beam)
        candidates = np.concatenate([stayed[staying], moved[moving]])
        targets = np.concatenate([states[staying], graph.targets.take(arcs[moving])])
        after = np.concatenate([self._histories[staying], histories[moving]])
        keys = after * graph.states + targets
        kept = self._best_of_each(keys, candidates)
        if kept.size > self._max_active:
            best = np.argpartition(candidates[kept], -self._max_active)[-self._max_active :]
            kept = np.sort(kept[best])

        taken = arcs[moving]
        everything = Moves(
            sources=np.concatenate([staying, origin[moving]]),
            arcs=np.concatenate([np.full(staying.size, NONE), taken]),
            weights=np.concatenate([np.zeros(staying.size), graph.weights[taken] + beyond[moving]]),
            before=np.concatenate([scores[staying], scores[origin[moving]]]),
            scores=candidates,
            keys=keys,
        )
        self._states, self._histories, self._scores = targets[kept], after[kept], candidates[kept]
        others = None
        if self._alternatives and kept.size < candidates.size:
            rest = np.ones(candidates.size, dtype=np.bool_)
            rest[kept] = False
            others = everything[rest.nonzero()[0]]
        self._paths.advance(self._frames, everything[kept], graph.labels[self._states], others)

    def _finish_words(self, arcs: Int64Array, histories: Int64Array) -> Float64Array:
        """What each arc costs beyond its weight; ``histories`` advances where a word ends."""
        beyond = np.zeros(arcs.size)
        said = self.graph.arc_outputs.take(arcs)
        ends = np.flatnonzero(said)
        words = said[ends].astype(np.int64) - 1
        log_probs, histories[ends] = self._lm.advance(histories[ends], words)
        beyond[ends] = log_probs - self._lm.unigrams.take(native(words))
        return beyond

    def _best_of_each(self, keys: Int64Array, scores: Float64Array) -> Int64Array:
        """The numbers, ascending, of the best candidate for each key; of equals the first."""
        if not keys.size:
            return np.empty(0, dtype=np.int64)
        bits = keys.size.bit_length()
        if self._key_bits + bits <= _INT64_BITS:
            packed = np.sort((keys << bits) + np.arange(keys.size))
            order, keys = packed & ((1 << bits) - 1), packed >> bits
        else:
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
        begins = np.ones(keys.size, dtype=np.bool_)
        np.not_equal(keys[1:], keys[:-1], out=begins[1:])
        ordered = scores[order]
        best = np.maximum.reduceat(ordered, np.flatnonzero(begins))
        group = begins.cumsum() - 1
        winning = np.flatnonzero(ordered == best[group])
        group = group[winning]
        begins[0], begins[1 : group.size] = True, group[1:] != group[:-1]
        return np.sort(order[winning[begins[: group.size]]])

    def _endings(self) -> Float64Array:
        """(hypotheses,) what ending the sentence here adds."""
        ends = np.full(self._histories.size, self._lm.words, dtype=np.int64)
        return super()._endings() + self._lm.advance(self._histories, ends)[0]
