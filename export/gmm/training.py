"""The passes of both systems, each from the alignment of the one before (Viterbi training).

Source: B.-H. Juang and L. Rabiner, "The segmental k-means algorithm for estimating parameters of hidden
Markov models", IEEE Trans. ASSP, 1990; the order of growth is that of the Kaldi toolkit's train_mono.sh and
train_deltas.sh.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from edge_asr.arrays import Float32Array
from edge_asr.errors import UsageError
from export.checkpoint import FrontEnd
from export.criterion.phone_lm import phone_ngram
from export.gmm.alignment import Alignment
from export.gmm.chain import Chain, chain, equal_path
from export.gmm.classes import all_questions
from export.gmm.config import GmmConfig, MonophoneConfig, TriphoneConfig
from export.gmm.decode import PhoneLoop
from export.gmm.mixtures import Mixtures, shared_out
from export.gmm.model import Aligned, Gmm
from export.gmm.speech import Spoken, evenly
from export.gmm.states import States
from export.gmm.statistics import Statistics
from export.gmm.tree import ContextStatistics, grow_tree

MONOPHONE, TRIPHONE = "monophone", "triphone"
"""Stages as the history names them; pass 0 is how each starts."""
_GROWTH_POWER = 0.25
"""Gaussians go by occupancy to this power (Kaldi's train_deltas.sh)."""
_GROWTH_FRAMES = 20.0
"""What each Gaussian must have seen before its distribution gets another one (Kaldi's default)."""
_STAY = 0.75
"""Where the probability of staying starts: four frames a state."""


class GmmTraining:
    """Training speech and settings; models go in and come out.

    Parameters
    ----------
    tokens: names of the labels, the edge first.
    dev: what phone errors are counted on, by set.
    """

    def __init__(
        self,
        config: GmmConfig,
        front_end: FrontEnd,
        tokens: tuple[str, ...],
        train: Sequence[Spoken],
        dev: dict[str, list[Spoken]],
    ) -> None:
        if config.cepstra > front_end.bins:
            raise UsageError(f"[gmm] cepstra is {config.cepstra}, the front-end makes only {front_end.bins}")
        if not train:
            raise UsageError("nothing to learn from: no utterance of the train sets has words")
        self._config, self._front_end, self._tokens = config, front_end, tokens
        self._train, self._dev = train, dev
        self._lengths = [s.frames for s in train]

    def fit(self, model: Gmm | None, save: Callable[[Gmm], None]) -> Gmm:
        """Make the passes that ``model``, if it is one, still lacks; ``save`` is called after each.

        Raises
        ------
        UsageError: the model was made with other settings or features.
        """
        mine = (self._front_end, self._tokens, self._config.of_training())
        if model is not None and (model.front_end, model.tokens, model.settings) != mine:
            raise UsageError(
                "the model to go on with was made with other settings or features: begin anew with --restart,"
                " or elsewhere with --out"
            )
        if model is None:
            model = self._noted(self.flat_start(), MONOPHONE, 0, time.monotonic(), {})
            save(model)
        while not model.finished:
            model = self._next(model)
            save(model)
        return model

    def _next(self, model: Gmm) -> Gmm:
        stage, done = model.history[-1]["stage"], model.history[-1]["pass"]
        started = time.monotonic()
        settings = self._config.monophone if stage == MONOPHONE else self._config.triphone
        if done < settings.passes:
            model, facts = self.improved(model, settings, done + 1, f"{stage} {done + 1}/{settings.passes}")
            if done + 1 == settings.passes:
                facts |= self.phone_errors(model)
            return self._noted(model, stage, done + 1, started, facts)
        if stage == MONOPHONE and self._config.triphone.passes:
            return self._noted(self.with_tree(model), TRIPHONE, 0, started, {})
        return dataclasses.replace(model, finished=True)

    def flat_start(self) -> Gmm:
        """Monophones of one Gaussian each, from equal shares of every utterance.

        Raises
        ------
        UsageError: no utterance has as many frames as states.
        """
        states = States.monophones(len(self._tokens), self._config.silence_states)
        values = 3 * self._config.cepstra
        blank = Mixtures.single(np.zeros((states.count, values)), np.ones((states.count, values)))
        statistics = Statistics(blank)
        used = 0
        for i in tqdm(range(len(self._train)), desc="flat start", mininterval=5):
            x, places = self._fetch(i, states)
            path = equal_path(places, len(x))
            if path is not None:
                statistics.add(x, path, places.states)
                used += 1
        if not used:
            raise UsageError("every utterance is shorter than its phones: does the text belong to the audio?")
        sequences = [s.labels for s in self._train]
        stay = np.full(states.count, _STAY)
        return Gmm(
            front_end=self._front_end,
            cepstra=self._config.cepstra,
            tokens=self._tokens,
            states=states,
            mixtures=statistics.estimate(variance_floor=self._config.variance_floor),
            stay=stay,
            bigram=phone_ngram(sequences, tokens=len(self._tokens), order=2),
            settings=self._config.of_training(),
        )

    def improved(
        self, model: Gmm, settings: MonophoneConfig | TriphoneConfig, number: int, label: str = "pass"
    ) -> tuple[Gmm, dict[str, float]]:
        """One pass: align, estimate, and grow if pass ``number`` (from 1) is one that grows.

        Returns the model and what was measured with the one that went in.
        """
        statistics = Statistics(model.mixtures)
        total, frames, lost = 0.0, 0, 0
        for done in self._aligned(model, label):
            if done.path is None:
                lost += 1
                continue
            statistics.add(done.x, done.path, done.chain.states)
            total += done.score
            frames += len(done.path)
        mixtures = statistics.estimate(variance_floor=self._config.variance_floor)
        if number <= settings.grow_until:
            now = len(mixtures.weights)
            wanted = now + -(-max(0, settings.gaussians - now) // (settings.grow_until - number + 1))
            counts = shared_out(
                statistics.occupancy(),
                mixtures.counts,
                wanted,
                power=_GROWTH_POWER,
                min_frames=_GROWTH_FRAMES,
            )
            mixtures = mixtures.grown(counts)
        model = dataclasses.replace(model, mixtures=mixtures, stay=statistics.stay(model.stay))
        facts = {"log_likelihood": total / max(1, frames), "frames": frames, "too_short": lost}
        return model, facts

    def with_tree(self, model: Gmm) -> Gmm:
        """Phones in context, one Gaussian for each leaf, from the alignment of ``model``."""
        contexts = self._contexts(model)
        questions = all_questions(self._tokens, contexts.by_phone(len(self._tokens)))
        settings, silence = self._config.triphone, self._config.silence_states
        states, sums = grow_tree(
            contexts,
            questions,
            silence=silence,
            leaves=settings.leaves,
            min_frames=settings.min_frames,
            min_gain=settings.min_gain,
        )
        seen = np.maximum(sums[:, :1], 1.0)
        values = 3 * self._config.cepstra
        means, squares = sums[:, 1 : 1 + values] / seen, sums[:, 1 + values :] / seen
        whole = sums.sum(axis=0) / max(1.0, sums[:, 0].sum())
        spread = whole[1 + values :] - whole[1 : 1 + values] ** 2
        variances = np.maximum(squares - means**2, self._config.variance_floor * spread)
        unseen = sums[:, 0] == 0
        variances[unseen] = spread
        leaves = Mixtures.single(means, variances)
        quiet = int(model.mixtures.offsets[silence])
        mixtures = Mixtures(
            np.concatenate([model.mixtures.weights[:quiet], leaves.weights]),
            np.concatenate([model.mixtures.means[:quiet], leaves.means]),
            np.concatenate([model.mixtures.variances[:quiet], leaves.variances]),
            np.concatenate([model.mixtures.offsets[:silence], quiet + leaves.offsets]),
        )
        stay = np.concatenate([model.stay[:silence], np.full(len(sums), _STAY)])
        return dataclasses.replace(model, states=states, mixtures=mixtures, stay=stay)

    def _contexts(self, model: Gmm) -> ContextStatistics:
        """Sums of the observations of every state between every two neighbours."""
        separate = States.separate(len(self._tokens), self._config.silence_states)
        sums: dict[int, np.ndarray] = {}
        for done in self._aligned(model, "contexts"):
            if done.path is None:
                continue
            # The same chain with a number for each context in the place of the distribution.
            spoken = np.flatnonzero(done.chain.positions[done.path] >= 0)
            path, x = done.path[spoken], done.x[spoken].astype(np.float64)
            starts = np.flatnonzero(np.diff(path, prepend=-1))
            rows = np.add.reduceat(np.column_stack([np.ones(len(x)), x, np.square(x)]), starts, axis=0)
            found = self._chain(done.index, separate).states[path[starts]]
            for number, row in zip(found.tolist(), rows, strict=True):
                sums[number] = sums[number] + row if number in sums else row
        numbers = sorted(sums)
        where = np.unravel_index(np.array(numbers) - separate.silence, separate.table.shape)
        return ContextStatistics(np.column_stack(where), np.array([sums[n] for n in numbers]))

    def alignments(self, model: Gmm) -> dict[str, Alignment]:
        """Where the phones are, by name of the utterance; those that are too short are left out."""
        return {
            self._train[done.index].name: Alignment(
                np.array(self._train[done.index].labels),
                done.chain.positions[done.path],
                done.chain.states[done.path],
            )
            for done in self._aligned(model, "align")
            if done.path is not None
        }

    def phone_errors(self, model: Gmm) -> dict[str, float]:
        """``per_SET``: edits per phone of the best phone sequence under the bigram, for each dev set."""
        loop = PhoneLoop(model, lm_scale=self._config.lm_scale)
        limit = int(self._config.dev_seconds * 1000 / self._front_end.mfcc.frame_shift_ms)
        result = {}
        for name, spoken in self._dev.items():
            chosen = evenly(spoken, limit)
            errors = phones = 0
            for s in tqdm(chosen, desc=f"decode {name}", mininterval=5):
                errors += Levenshtein.distance(loop(s.observations(self._config.cepstra))[0], s.labels)
                phones += len(s.labels)
            result[f"per_{name}"] = errors / max(1, phones)
        return result

    def _aligned(self, model: Gmm, label: str) -> Iterator[Aligned]:
        found = model.align(self._lengths, lambda i: self._fetch(i, model.states))
        yield from tqdm(found, total=len(self._train), desc=label, mininterval=5)

    def _fetch(self, index: int, states: States) -> tuple[Float32Array, Chain]:
        return self._train[index].observations(self._config.cepstra), self._chain(index, states)

    def _chain(self, index: int, states: States) -> Chain:
        return chain(self._train[index].labels, states, pauses=self._train[index].pauses)

    def _noted(self, model: Gmm, stage: str, number: int, started: float, facts: dict[str, float]) -> Gmm:
        entry = {
            "stage": stage,
            "pass": number,
            "gaussians": len(model.mixtures.weights),
            "states": model.states.count,
            **facts,
            "seconds": round(time.monotonic() - started, 2),
        }
        return dataclasses.replace(model, history=(*model.history, entry))
