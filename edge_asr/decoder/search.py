"""Exact frame-synchronous Viterbi search over a graph, with beam and a bound on active states."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array, Int64Array, native
from edge_asr.decoder.alternatives import Path
from edge_asr.decoder.arena import NONE
from edge_asr.decoder.endpoint import State
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.network import IntentMark
from edge_asr.decoder.paths import Moves, Paths
from edge_asr.decoder.tokens import BLANK
from edge_asr.decoder.trace import Hypothesis, Outcome, word_hits

_RIVAL = 2.0
"""Natural log: what is less likely than the best by more does not keep an utterance open, a factor of 7. With
5 half of all complete commands waited for rivals without their last word; with 2 none more are cut early
(benchmarks/endpointing.py)."""


class Search:
    """One utterance (or an endless stream) through a graph. Not for sharing between threads.

    Scores are kept relative to the best token of each frame, in double precision: they stay small
    where the path agrees with the model, and an hour adds no error. Any division of the frames over
    calls of ``push`` gives identical results.

    Parameters
    ----------
    graph: shared, never changed.
    beam: hypotheses this much (natural log) below the best are dropped.
    max_active: hypotheses kept per frame at the most.
    token_offsets: added to the log-probabilities, one for each token; none where empty.
    alternatives: what comes into a state this much (natural log) behind the best is kept for ``nbest``; 0
        keeps nothing, which is quicker.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        beam: float = 14.0,
        max_active: int = 2500,
        token_offsets: Sequence[float] = (),
        alternatives: float = 0.0,
    ) -> None:
        if not beam > 0 or max_active < 1:
            raise ValueError(f"expected beam > 0 and max_active >= 1, got {beam} and {max_active}")
        self.graph = graph
        self._beam = beam
        self._max_active = max_active
        self._alternatives = alternatives
        if len(token_offsets) not in (0, len(graph.tokens)):
            raise ValueError(f"expected {len(graph.tokens)} token offsets or none, got {len(token_offsets)}")
        self._token_offsets = np.asarray(token_offsets, dtype=np.float64) if len(token_offsets) else None
        self._first_arcs = native(graph.offsets[:-1])
        self._degrees = native(np.diff(graph.offsets))
        # Dense scratch, meaningful only for the states touched in the current frame.
        self._best: Float64Array = np.full(graph.states, -np.inf)
        self._owner: Int64Array = np.empty(graph.states, dtype=np.int64)
        self.reset()

    def reset(self) -> None:
        """Forget everything: afterwards the search equals a new one."""
        self._frames = 0
        self._greedy = 0.0  # score of the best token of every frame: what relative scores are relative to
        self._silence = 0.0  # relative score of the path that never left blank
        self._states: Int64Array = np.zeros(1, dtype=np.int64)
        self._scores: Float64Array = np.zeros(1)
        self._paths = self._new_paths()

    def _new_paths(self) -> Paths:
        return Paths(self.graph, within=self._alternatives)

    @property
    def active(self) -> int:
        """Hypotheses alive."""
        return self._states.size

    @property
    def nbytes(self) -> int:
        """Size of the trace-back memory in bytes, committed words not counted."""
        return self._paths.nbytes

    def push(self, log_probs: Float32Array) -> None:
        """Take any number of frames.

        Parameters
        ----------
        log_probs: (frames, tokens) natural logarithms.
        """
        if log_probs.ndim != 2 or log_probs.shape[1] != len(self.graph.tokens):
            raise ValueError(
                f"expected log-probabilities (frames, {len(self.graph.tokens)}), got {log_probs.shape}"
            )
        emissions = log_probs.astype(np.float64)
        if self._token_offsets is not None:
            emissions += self._token_offsets
        greedy = emissions.max(axis=1, initial=-np.inf)
        emissions -= greedy[:, None]
        for emission, best in zip(emissions, greedy.tolist(), strict=True):
            self._step(emission)
            self._greedy += best
            self._silence += float(emission[BLANK])
            self._frames += 1
            self._settle()

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
        threshold = top - self._beam
        near = np.flatnonzero(moved > threshold)
        near_scores = moved[near]
        near_arcs = arcs[near]
        near_targets = graph.targets.take(near_arcs).astype(np.int64)

        # The best candidate of each state. Staying wins ties, then the lowest arc, so that of two
        # readings of one sentence the one written first in the grammar comes out.
        best, owner = self._best, self._owner
        best[near_targets] = -np.inf
        best[states] = stayed
        np.maximum.at(best, near_targets, near_scores)
        winning = np.flatnonzero(near_scores == best[near_targets])
        owner[near_targets[winning]] = graph.arcs
        np.minimum.at(owner, near_targets[winning], near_arcs[winning])
        staying = np.flatnonzero((stayed == best[states]) & (stayed > threshold))
        owner[states[staying]] = NONE
        winning = winning[owner[near_targets[winning]] == near_arcs[winning]]

        if staying.size + winning.size > self._max_active:
            both = np.concatenate([stayed[staying], near_scores[winning]])
            kept = np.argpartition(both, -self._max_active)[-self._max_active :]
            stays = kept < staying.size
            staying, winning = staying[kept[stays]], winning[kept[~stays] - staying.size]

        def moves(staying: Int64Array, moving: Int64Array) -> Moves:
            sources = np.concatenate([staying, origin[near[moving]]])
            taken = near_arcs[moving]
            return Moves(
                sources=sources,
                arcs=np.concatenate([np.full(staying.size, NONE), taken]),
                weights=np.concatenate([np.zeros(staying.size), graph.weights[taken]]),
                before=scores[sources],
                scores=np.concatenate([stayed[staying], near_scores[moving]]),
                keys=np.concatenate([states[staying], near_targets[moving]]),
            )

        chosen = moves(staying, winning)
        everything = None
        if self._alternatives:
            everything = moves(np.flatnonzero(stayed > threshold), np.arange(near.size))
        self._states, self._scores = chosen.keys, chosen.scores
        self._paths.advance(self._frames, chosen, graph.labels[self._states], everything)

    def _settle(self) -> None:
        """Settle words after a frame, for searches that choose among what they list."""

    def best(self) -> Hypothesis:
        """The best path so far, which need not end a sentence. Changes nothing."""
        if not self._states.size:
            return self._silent("partial")
        best = int(self._scores.argmax())
        return self._trace(Path(best), "partial", stable_words=self._paths.stable_words())

    def state(self) -> State:
        """Whether what was heard so far can be all; see ``endpoint.Progress``. Changes nothing."""
        endings = self._endings() + self._scores
        best = int(self._scores.argmax()) if self._scores.size else 0
        if not self._scores.size or not self._paths.said(best) or self._silence >= self._scores[best]:
            return "nothing"
        if endings[best] == -np.inf:
            return "incomplete"
        near = np.flatnonzero(self._scores > self._scores[best] - _RIVAL)
        states = self._states[near]
        if (endings[near] == -np.inf).any():
            return "complete"
        if not self.graph.leads_on[states].any():
            return "certain"
        # "please" may follow, but the intent is known.
        said = self._trace(Path(best), "complete").path
        if any(isinstance(mark, IntentMark) for _, marks in said for mark in marks):
            return "complete" if self.graph.changes_meaning[states].any() else "certain"
        return "complete"

    def silent_frames(self) -> int:
        """Frames since the last phone of the best path; all of them where nothing was said."""
        if not self._scores.size:
            return self._frames
        best = int(self._scores.argmax())
        return self._frames - self._paths.held_until(best) if self._paths.said(best) else self._frames

    @property
    def frames(self) -> int:
        """Frames heard since the last reset."""
        return self._frames

    def finish(self) -> Hypothesis:
        """The best whole sentence, or no words where silence is likelier. Changes nothing."""
        final_weights = self._endings()
        endings = self._scores + final_weights
        best = endings.max(initial=-np.inf)
        if best == -np.inf:
            # The beginning of a sentence that is no likelier than silence is not speech cut short.
            quiet = -np.inf < self._silence >= self._scores.max(initial=-np.inf)
            return self._silent("silence" if quiet else "incomplete")
        tied = np.flatnonzero(endings == best)
        winner = int(tied[self._states[tied].argmin()])
        found = self._trace(Path(winner), "complete", final_weight=float(final_weights[winner]))
        if self._silence >= best or not found.words:
            return self._silent("silence")
        return found

    def nbest(self, most: int, *, within: float | None = None) -> list[Hypothesis]:
        """The best whole sentences, the likeliest first, each by its best path. Changes nothing.

        ``within`` (natural log) leaves out what is further behind the best, as ``alternatives`` does.

        Sentences with the same words but other marks are two; no words at all are none. The first is that of
        ``finish``, unless silence is likelier or several are equally likely. Needs ``alternatives``.
        """
        final_weights = self._endings()
        found: list[Hypothesis] = []
        # One of them may be the path without words.
        for _, path in self._paths.nbest(self._scores + final_weights, most + 1, within=within):
            weight = float(final_weights[path.hypothesis])
            hypothesis = self._trace(path, "complete", final_weight=weight)
            if hypothesis.words:
                found.append(hypothesis)
        return found[:most]

    def _endings(self) -> Float64Array:
        """(hypotheses,) what ending the sentence here adds, natural log; -inf where none may end."""
        weights: Float64Array = self.graph.final_weights[self._states].astype(np.float64)
        return weights

    def _silent(self, outcome: Outcome) -> Hypothesis:
        """The path that never left blank."""
        return Hypothesis(
            outcome=outcome,
            score=self._greedy + self._silence,
            silence_score=self._greedy + self._silence,
            deficit=self._silence,
            frames=self._frames,
        )

    def _trace(
        self, path: Path, outcome: Outcome, *, stable_words: int | None = None, final_weight: float = 0.0
    ) -> Hypothesis:
        """One path; ``stable_words`` None: all of them."""
        state = int(self._states[path.hypothesis])
        score = float(self._scores[path.hypothesis]) - path.lost - self._paths.lost
        found, weight = self._paths.trace(path)
        for span in found:
            weight += span.weight
        ending = None
        if outcome == "complete":
            ending = self.graph.endings[self.graph.state_endings[state]]
        words, marks = word_hits(self.graph, found, ending)
        return Hypothesis(
            words=words,
            marks=marks,
            network=ending.network if ending else "",
            outcome=outcome,
            score=self._greedy + score + final_weight,
            silence_score=self._greedy + self._silence,
            deficit=score - weight,
            frames=self._frames,
            stable_words=len(words) if stable_words is None else stable_words,
        )
