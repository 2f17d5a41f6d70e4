"""Which of the likeliest sentences a better language model would have preferred.

The search weighs sentences by n-grams, which a search can afford in every frame. What the n-grams said of a
sentence is taken off its score again, and what both models together say is put in its place: of each word
the mean of the two probabilities, as of old where language models of different kinds meet (F. Jelinek and
R. Mercer 1980, Interpolated estimation of Markov source parameters). A word that only the n-grams know, such
as one that was added, loses at most the logarithm of their share; bonuses of phrases stay as they were.

Words settle while speech goes on: what the best of the beginnings compared so says of words that ended a
while ago stays (``NgramSearch``). A short list then holds every choice that is still open, where it would
hold few of the choices in a whole sentence; and both models go on from behind what has settled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_asr.arrays import Float64Array
from edge_asr.bundle import NEURAL_LM, Bundle
from edge_asr.config import RescoringConfig
from edge_asr.decoder.graph import Output
from edge_asr.decoder.lm import LanguageModel
from edge_asr.decoder.neural_lm import NeuralLm
from edge_asr.decoder.piece_tree import Context

SETTLE_EVERY: Final = 15
"""Frames of the search, 0.45 s, between two looks for words that are old enough."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Settled:
    """Where both models stand behind the words that stay."""

    ngrams: int
    """State of the n-grams."""
    neural: Context
    gain: float = 0.0
    """What re-scoring added to the score of those words."""


class Rescorer:
    """Shared by threads.

    Parameters
    ----------
    lm_scale: what the graph's language model was scaled with (``Graph.weighed``).
    frame_s: how long a frame of the search is.
    """

    def __init__(self, model: NeuralLm, config: RescoringConfig, *, lm_scale: float, frame_s: float) -> None:
        self._model, self._config, self._lm_scale = model, config, lm_scale
        self.sentences, self.within = config.sentences, config.within
        """What is compared at the most: so many, and nothing further (natural log) behind the best."""
        self.settle_frames = round(config.settle_s / frame_s)
        """How many frames of the search after its end a word settles."""

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> Rescorer | None:
        """With the model that a bundle brings; None where it brings none.

        Raises
        ------
        BundleError: its file cannot be read.
        """
        decoder = bundle.config.decoder
        if decoder.rescoring is None:
            return None
        return cls(
            NeuralLm.load(bundle.path(NEURAL_LM)),
            decoder.rescoring,
            lm_scale=decoder.lm_scale,
            frame_s=bundle.config.acoustic.subsampling * bundle.config.mfcc.frame_shift_ms / 1000,
        )

    def beginning(self, lm: LanguageModel) -> Settled:
        """Where nothing has settled."""
        return Settled(ngrams=lm.start, neural=self._model.beginning)

    def gains(
        self,
        lm: LanguageModel,
        vocabulary: Sequence[Output],
        sentences: Sequence[Sequence[int]],
        after: Settled,
    ) -> list[Float64Array]:
        """What re-scoring adds to the score of each word of sentences, and of their ends.

        Parameters
        ----------
        lm: of the search, scaled.
        vocabulary: the graph's words by number.
        sentences: numbers of their words.
        after: what they go on from.

        Returns
        -------
        (words + 1,) for each sentence, natural log.
        """
        ngrams = lm.follow(sentences, after.ngrams)
        neural = self._model.score(
            [[vocabulary[word].word for word in words] for words in sentences],
            history=self._config.history_words or None,
            after=after.neural,
        )
        return [
            self.mixed(ngram / self._lm_scale, more) - ngram
            for ngram, more in zip(ngrams, neural, strict=True)
        ]

    def settle(
        self, lm: LanguageModel, vocabulary: Sequence[Output], words: Sequence[int], after: Settled
    ) -> Settled:
        """Where both models stand when these ``words`` stay too; the others as for ``gains``."""
        [ngrams] = lm.follow([words], after.ngrams)
        neural, context = self._model.follow([vocabulary[word].word for word in words], after.neural)
        gains = self.mixed(ngrams[:-1] / self._lm_scale, neural) - ngrams[:-1]
        return Settled(
            ngrams=lm.state_after(words, after.ngrams), neural=context, gain=after.gain + float(gains.sum())
        )

    def mixed(self, ngram: Float64Array, neural: Float64Array) -> Float64Array:
        """(words,) what both models say of each word, scaled, natural log."""
        share = self._config.share
        if share == 1:
            return self._config.scale * neural
        both: Float64Array = np.logaddexp(math.log(share) + neural, math.log1p(-share) + ngram)
        return self._config.scale * both
