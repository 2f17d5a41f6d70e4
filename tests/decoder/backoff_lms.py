"""Small back-off models for tests: as plain dicts for the slow truth, as automata for the search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from edge_asr.decoder.lm import LanguageModel

Ngram = tuple[str, ...]


@dataclass
class DictModel:
    """P(w | h) as the ARPA format defines it; natural logarithms."""

    words: Sequence[str]
    log_probs: dict[Ngram, float] = field(default_factory=dict)
    backoffs: dict[Ngram, float] = field(default_factory=dict)

    def log_prob(self, word: str, history: Ngram) -> float:
        """By definition: the listed n-gram, else back-off times the shorter history."""
        if (*history, word) in self.log_probs:
            return self.log_probs[*history, word]
        return self.backoffs.get(history, 0.0) + self.log_prob(word, history[1:])

    def sentence(self, words: Sequence[str], order: int) -> float:
        """log P of a sentence with its beginning and its end."""
        said = ("<s>", *words, "</s>")
        return math.fsum(
            self.log_prob(said[at], said[max(0, at - order + 1) : at]) for at in range(1, len(said))
        )


def automaton(model: DictModel) -> LanguageModel:
    """The same model as the runtime has it, built the slow way."""
    width = len(model.words) + 1
    number = {word: i for i, word in enumerate([*model.words, "</s>"])}
    histories = {ngram[:-1] for ngram in model.log_probs} | {h for h, b in model.backoffs.items() if b}
    states = {h: i for i, h in enumerate(sorted(histories | {()}, key=lambda h: (len(h), h)))}

    def longest(words: Ngram) -> int:
        return next(states[words[i:]] for i in range(len(words) + 1) if words[i:] in states)

    def after(ngram: Ngram) -> int:
        return 0 if ngram[-1] == "</s>" else longest(ngram)

    arcs: Mapping[int, tuple[float, int]] = {
        states[ngram[:-1]] * width + number[ngram[-1]]: (log_prob, after(ngram))
        for ngram, log_prob in model.log_probs.items()
        if len(ngram) > 1
    }
    keys = sorted(arcs)
    return LanguageModel(
        start=longest(("<s>",)),
        unigrams=np.array([model.log_probs[(word,)] for word in number], np.float32),
        unigram_states=np.array([after((word,)) for word in number], np.int32),
        keys=np.array(keys, np.int64),
        log_probs=np.array([arcs[key][0] for key in keys], np.float32),
        next_states=np.array([arcs[key][1] for key in keys], np.int32),
        backoffs=np.array([model.backoffs.get(h, 0.0) for h in states], np.float32),
        backoff_states=np.array([longest(h[1:]) if h else 0 for h in states], np.int32),
    )


@st.composite
def models(draw: st.DrawFn, *, words: tuple[str, ...], order: int = 3) -> DictModel:
    """Any weights in quarters, not normalised: a search must not care. n-grams at random."""
    quarters = st.integers(-12, 0).map(lambda value: value / 4)
    model = DictModel(words)
    for word in (*words, "</s>"):
        model.log_probs[(word,)] = draw(quarters)
    for _ in range(draw(st.integers(0, 12)) if order > 1 else 0):
        history = tuple(draw(st.lists(st.sampled_from(words), min_size=1, max_size=order - 1)))
        if draw(st.booleans()):
            history = ("<s>", *history[1:])
        model.log_probs[*history, draw(st.sampled_from([*words, "</s>"]))] = draw(quarters)
        model.backoffs[history] = draw(st.integers(-4, 2)) / 4
        # The ARPA format lists every history as an n-gram of its own.
        if len(history) > 1:
            model.log_probs.setdefault(history, draw(quarters))
    return model
