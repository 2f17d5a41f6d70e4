"""Viterbi search with a language model: one lexicon tree for all, the history carried by the hypothesis.

A hypothesis is a state of the word loop and a state of the language model. Within a word it pays
the loop's unigram weights, spent early by the tree, so that pruning sees them; at the word's last
phone what the model asks beyond the unigram is added (look-ahead by unigrams: S. Ortmanns and
H. Ney 2000, Look-ahead techniques for fast beam search). Two hypotheses meet only where both states
are the same, so without pruning the result is the best over all word sequences, with exact
back-off scores.

With a rescorer a better model has the last word, and words settle while speech goes on, up to a place that
all hypotheses came through: whatever way led there, what follows scores the same, so that the search need not
know. Every 0.45 s the likeliest beginnings are listed. What all of them say stays; where they differ in what
ended ``Rescorer.settle_frames`` ago, they are compared, and what the best of them says of it stays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge_asr.arrays import Float64Array, Int32Array, Int64Array, native
from edge_asr.decoder.alternatives import Path
from edge_asr.decoder.arena import NONE
from edge_asr.decoder.biasing import BiasedModel, Phrases
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lm import LanguageModel
from edge_asr.decoder.paths import SETTLE_AFTER, Moves, Paths, Unsettled
from edge_asr.decoder.rescoring import SETTLE_EVERY, Rescorer, Settled
from edge_asr.decoder.search import Search
from edge_asr.decoder.trace import Hypothesis

_INT64_BITS = 63


class NgramSearch(Search):
    """``Search`` over a word loop that brings a language model; the verbs are the same.

    Parameters
    ----------
    rescorer: what ranks the sentences of ``rescored``, for which alternatives within its reach are kept.
    lists_all: whether ``nbest`` is to have alternatives to all words: these settle after ``SETTLE_AFTER``.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        beam: float = 14.0,
        max_active: int = 2500,
        token_offsets: Sequence[float] = (),
        alternatives: float = 0.0,
        rescorer: Rescorer | None = None,
        lists_all: bool = False,
    ) -> None:
        if graph.lm is None:
            raise ValueError("expected a graph with a language model: use Search")
        self._lm: LanguageModel | BiasedModel = graph.lm
        self._rescorer = rescorer
        self._lists_all = lists_all
        self._settle_frames = 0
        if rescorer:
            alternatives = max(alternatives, rescorer.within)
            self._settle_frames = SETTLE_AFTER if lists_all else rescorer.settle_frames
        super().__init__(
            graph,
            beam=beam,
            max_active=max_active,
            token_offsets=token_offsets,
            alternatives=alternatives,
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
        self._settled: Settled | None = self._rescorer.beginning(self._ngrams) if self._rescorer else None

    def _new_paths(self) -> Paths:
        return Paths(self.graph, within=self._alternatives, chosen=self._rescorer is not None)

    @property
    def _ngrams(self) -> LanguageModel:
        """The language model without phrases."""
        return self._lm.lm if isinstance(self._lm, BiasedModel) else self._lm

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

    def rescored(self) -> list[Hypothesis]:
        """The likeliest whole sentences as the rescorer ranks them, the best first, with their new scores.

        None without a rescorer, or where the search has no whole sentence. Of equal scores the one stays
        first that was first. Changes nothing.
        """
        if self._rescorer is None or self._settled is None:
            return []
        found = self.nbest(self._rescorer.sentences, within=self._rescorer.within)
        settled = self._paths.settled_words
        sentences = [[hit.output for hit in hypothesis.words[settled:]] for hypothesis in found]
        gains = self._rescorer.gains(self._ngrams, self.graph.outputs, sentences, self._settled)
        scores = [
            hypothesis.score + self._settled.gain + float(more.sum())
            for hypothesis, more in zip(found, gains, strict=True)
        ]
        order = np.argsort(-np.array(scores), kind="stable").tolist()
        return [replace(found[index], score=scores[index]) for index in order]

    def _settle(self) -> None:
        """Settle what all likely beginnings say, and what the best of them says of old enough words."""
        if self._rescorer is None or self._settled is None or self._frames % SETTLE_EVERY:
            return
        rescorer, paths = self._rescorer, self._paths
        shared = paths.shared_ends()
        old = paths.ended(shared, self._frames - self._settle_frames)
        ends = old if self._lists_all else shared
        if not ends.size:
            return
        found = [path for _, path in paths.nbest(self._scores, rescorer.sentences, within=rescorer.within)]
        said = [paths.unsettled(path, ends) for path in found]
        best, until = 0, _agreed(said, ends)
        if old.size and old[-1] > until:
            words = [each.words for each in said]
            gains = rescorer.gains(self._ngrams, self.graph.outputs, words, self._settled)
            scores = [
                float(self._scores[path.hypothesis]) - path.lost + float(more[:-1].sum())
                for path, more in zip(found, gains, strict=True)
            ]
            best = int(np.argmax(scores))
            until = max(until, *(end for end in old.tolist() if said[best].ends.get(end)), NONE)
            if until == NONE and paths.ended(ends, self._frames - 2 * SETTLE_AFTER).size:
                # It goes around all that is old, and memory is not endless: as the search has it, then.
                path = Path(found[0].hypothesis)
                found, said, best, until = [path], [paths.unsettled(path, ends)], 0, int(old[-1])
        if until != NONE:
            settling = said[best].words[: said[best].ends[until]]
            paths.settle(found[best], until)
            self._settled = rescorer.settle(self._ngrams, self.graph.outputs, settling, self._settled)

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


def _agreed(said: Sequence[Unsettled], ends: Int32Array) -> int:
    """The last of the ends that all come through with the same words, at least one; ``NONE`` without any."""
    for end in ends[::-1].tolist():
        before = {tuple(each.words[: each.ends.get(end, 0)]) for each in said}
        if len(before) == 1 and before != {()}:
            return int(end)
    return NONE
