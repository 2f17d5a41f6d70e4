"""CTC's simplest search: the best token of every frame, repetitions and blanks taken out.

"Best path decoding" of A. Graves et al. 2006, Connectionist Temporal Classification, section 3.2. It
follows no grammar and needs no lexicon, and costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.config import DecoderConfig
from edge_asr.decoder.detokenizer import Detokenizer, TokenHit
from edge_asr.decoder.posteriors import Posteriors, running
from edge_asr.decoder.tokens import BLANK, Tokens
from edge_asr.decoder.trace import Hypothesis, Outcome, WordHit


class GreedySearch:
    """One utterance or an endless stream; the verbs are those of ``Search``.

    Nothing but the words is remembered: of the tokens only those of the last word. Any division of the
    frames over calls of ``push`` gives identical results. Deficits are log posteriors of the best path.

    Parameters
    ----------
    tokens: names of the columns of the log-probabilities.
    units: what they are: ``phones``, ``characters`` or ``bpe``.
    token_offsets: added to the log-probabilities, one for each token; none where empty.
    """

    def __init__(self, tokens: Tokens, *, units: str = "phones", token_offsets: Sequence[float] = ()) -> None:
        self._detokenizer = Detokenizer(tokens, units)
        self._posteriors = Posteriors(len(tokens), token_offsets)
        self.reset()

    @classmethod
    def of(cls, tokens: Tokens, config: DecoderConfig) -> GreedySearch:
        """As the bundle asks for it."""
        return cls(tokens, units=config.units, token_offsets=config.token_offsets)

    def reset(self) -> None:
        """Forget everything: afterwards the search equals a new one."""
        self._frames = 0
        self._sums = 0.0  # what log posteriors are relative to
        self._path = 0.0  # log posterior of the best token of every frame
        self._silence = 0.0  # log posterior of blank in every frame
        self._label = BLANK  # of the last frame
        self._open: list[TokenHit] = []  # tokens from the first one on that may still change a word
        self._words: list[WordHit] = []  # the words before them

    def push(self, log_probs: Float32Array) -> None:
        """Take any number of frames.

        Parameters
        ----------
        log_probs: (frames, tokens) natural logarithms.
        """
        emissions, sums = self._posteriors.normalise(log_probs)
        frames = len(emissions)
        if not frames:
            return
        labels = emissions.argmax(axis=1)
        path = running(self._path, emissions.max(axis=1))
        begins = np.flatnonzero(labels != np.concatenate([[self._label], labels[:-1]]))
        ends = [*begins.tolist(), frames]
        if self._label != BLANK and ends[0]:
            # The last token sounds on.
            self._open[-1] = self._open[-1]._replace(
                end_frame=self._frames + ends[0], end_score=float(path[ends[0]])
            )
        for begin, end in pairwise(ends):
            label = int(labels[begin])
            if label != BLANK:
                times = (self._frames + begin, self._frames + end)
                self._open.append(TokenHit(label, *times, float(path[begin]), float(path[end])))
        self._frames += frames
        self._label, self._path = int(labels[-1]), float(path[-1])
        self._sums = float(running(self._sums, sums)[-1])
        self._silence = float(running(self._silence, emissions[:, BLANK])[-1])
        self._settle()

    def _settle(self) -> None:
        """Keep of the words that are closed nothing but themselves; a token that sounds on is kept."""
        over = self._open if self._label == BLANK else self._open[:-1]
        words, closed, settled = self._detokenizer.spell(over)
        self._words += words[:closed]
        del self._open[:settled]

    def best(self) -> Hypothesis:
        """The best path so far. Changes nothing."""
        words, closed, _ = self._detokenizer.spell(self._open)
        return self._hypothesis("partial", (*self._words, *words), stable_words=len(self._words) + closed)

    def finish(self) -> Hypothesis:
        """The best path as a whole utterance; no words where it has none. Changes nothing."""
        words = (*self._words, *self._detokenizer.spell(self._open).words)
        return self._hypothesis("complete" if words else "silence", words, stable_words=len(words))

    def _hypothesis(self, outcome: Outcome, words: tuple[WordHit, ...], *, stable_words: int) -> Hypothesis:
        return Hypothesis(
            outcome=outcome,
            words=words,
            score=self._sums + self._path,
            silence_score=self._sums + self._silence,
            deficit=self._path,
            frames=self._frames,
            stable_words=stable_words,
        )
