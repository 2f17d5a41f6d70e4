"""At an utterance's end: which of the likeliest sentences a better language model would have preferred.

The search weighs sentences by n-grams, which a search can afford in every frame. What the n-grams said of a
sentence is taken off its score again, and what both models together say is put in its place: of each word
the mean of the two probabilities, as of old where language models of different kinds meet (F. Jelinek and
R. Mercer 1980, Interpolated estimation of Markov source parameters). A word that only the n-grams know, such
as one that was added, loses at most the logarithm of their share; bonuses of phrases stay as they were.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from edge_asr.arrays import Float64Array
from edge_asr.bundle import NEURAL_LM, Bundle
from edge_asr.config import RescoringConfig
from edge_asr.decoder.neural_lm import NeuralLm
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.trace import Hypothesis


class Rescorer:
    """Shared by threads.

    Parameters
    ----------
    lm_scale: what the graph's language model was scaled with (``Graph.weighed``).
    frame_s: how long a frame of the search is.
    """

    def __init__(self, model: NeuralLm, config: RescoringConfig, *, lm_scale: float, frame_s: float) -> None:
        self._model, self._config, self._lm_scale = model, config, lm_scale
        self.within = config.within
        """What the search must keep for ``nbest`` at the least, natural log."""
        self.settle_frames = round(config.settle_s / frame_s)
        """After how many frames of the search a word settles."""

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

    def best(self, search: NgramSearch) -> Hypothesis:
        """What was said, as ``NgramSearch.finish`` says it without a rescorer."""
        heard = search.finish()
        return (self.rescored(search) or [heard])[0] if heard.words else heard

    def rescored(self, search: NgramSearch) -> list[Hypothesis]:
        """The likeliest sentences of a search that keeps alternatives, the best first, with their new scores.

        None where the search has no whole sentence. Of equal scores the one stays first that was first.
        """
        config = self._config
        found = search.nbest(config.sentences, within=config.within)
        if len(found) < 2:
            return found
        neural = self._model.score(
            [[hit.word for hit in hypothesis.words] for hypothesis in found],
            history=config.history_words or None,
        )
        scores = [
            hypothesis.score - float(ngram.sum()) + float(self.mixed(ngram / self._lm_scale, more).sum())
            for hypothesis, ngram, more in zip(found, search.word_log_probs(found), neural, strict=True)
        ]
        order = np.argsort(-np.array(scores), kind="stable").tolist()
        return [replace(found[index], score=scores[index]) for index in order]

    def mixed(self, ngram: Float64Array, neural: Float64Array) -> Float64Array:
        """(words,) what both models say of each word, scaled, natural log."""
        share = self._config.share
        if share == 1:
            return self._config.scale * neural
        both: Float64Array = np.logaddexp(math.log(share) + neural, math.log1p(-share) + ngram)
        return self._config.scale * both
