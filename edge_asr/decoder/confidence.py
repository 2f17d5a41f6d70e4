"""How far to trust a word and a sentence, from the scores of the search alone.

The deficit of a path is its acoustic log-probability minus that of the best token of every frame,
taken frame by frame without any grammar. It is 0 where the model, left alone, would have heard just
this, and falls with every frame in which the grammar or the beam forced another token. Divided by
the number of phones it is the mean log-likelihood ratio per phone between what was said to be heard and what
was heard; long and short words compare (after the phone-normalised log-likelihood ratio of utterance
verification, Jiang 2005, Confidence measures for speech recognition, section 3).

A sentence of a grammar is also compared with its *background*: the likeliest of all phone sequences, weighed
by a phone bigram. Read speech that resembles a command is explained by it much better than by any command.

Exponentiated, the mean ratio per phone lies between 0 and 1 and ranks words, but is no probability. A
bundle's calibration makes it one: a logistic regression on the features below, fitted to dev speech
(benchmarks/confidence.py; J. Platt, "Probabilistic outputs for support vector machines", 1999). Where no
graph forces anything, the deficit is a log posterior, the ratio the geometric mean of the tokens' posteriors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge_asr.decoder.trace import Hypothesis, WordHit


@dataclass(frozen=True, kw_only=True)
class Background:
    """What all phone sequences make of the same sound."""

    score: float
    """Natural log, comparable with that of a hypothesis."""
    phones: int
    """How many the likeliest has."""

    @classmethod
    def of(cls, hypothesis: Hypothesis) -> Background:
        """From the result of a search through the phone loop."""
        phones = sum(len(hit.phones) for hit in hypothesis.words)
        return cls(score=hypothesis.score, phones=phones)


def word_features(hit: WordHit) -> tuple[float, ...]:
    """What a word's calibration weighs: (5,), the first always 1.

    Mean log-likelihood ratio per phone, log of the number of phones, frames per phone, and the weight that
    grammar or language model gave the word.
    """
    phones = len(hit.phones)
    frames = hit.end_frame - hit.start_frame
    return (1.0, min(0.0, hit.deficit) / phones, math.log(phones), frames / phones, max(hit.weight, -20.0))


def sentence_features(hypothesis: Hypothesis, background: Background) -> tuple[float, ...]:
    """What a sentence's calibration weighs: (6,), the first always 1.

    Mean log-likelihood ratio per phone; by how much the sentence is better than its background, for each
    phone of either, and relative to how much better the background is than silence; and the log of the number
    of phones. All of it is bounded, so that no feature outweighs the others where the model is at a loss.
    """
    phones = sum(len(hit.phones) for hit in hypothesis.words)
    lead = hypothesis.score - background.score
    speech = max(1.0, background.score - hypothesis.silence_score)
    return (
        1.0,
        max(-10.0, min(0.0, hypothesis.deficit) / phones),
        _bounded(lead / phones, 10.0),
        _bounded(lead / max(1, background.phones), 10.0),
        _bounded(lead / speech, 2.0),
        math.log(phones),
    )


def word_confidence(hit: WordHit, calibration: Sequence[float] = ()) -> float:
    """Confidence of one word in [0, 1] from the frames between its first and last phone.

    Parameters
    ----------
    calibration: weights of ``word_features``; without them the likelihood ratio per phone is returned.
    """
    if calibration:
        return _logistic(calibration, word_features(hit))
    return _per_phone(hit.deficit, len(hit.phones))


def sentence_confidence(
    hypothesis: Hypothesis, background: Background | None = None, calibration: Sequence[float] = ()
) -> float:
    """Confidence of the whole utterance in [0, 1]; 0 where no word was heard.

    Without a background or calibration it is the mean ratio over all phones as for a word, but of all frames:
    speech that the path passes over between or around its words as if it were silence counts against it. That
    is what tells a command from a sentence that merely contains sounds of one.

    Parameters
    ----------
    calibration: weights of ``sentence_features``.
    """
    phones = sum(len(hit.phones) for hit in hypothesis.words)
    if not phones:
        return 0.0
    if background and calibration:
        return _logistic(calibration, sentence_features(hypothesis, background))
    return _per_phone(hypothesis.deficit, phones)


def speech_margin(hypothesis: Hypothesis) -> float:
    """By how much the words are likelier than silence, natural log for each phone; infinite without words.

    Noise that resembles speech for a moment lifts a few phones a little above silence; speech lifts all of
    them by several.
    """
    phones = sum(len(hit.phones) for hit in hypothesis.words)
    return (hypothesis.score - hypothesis.silence_score) / phones if phones else math.inf


def _per_phone(deficit: float, phones: int) -> float:
    # Rounding may leave a deficit a hair above 0.
    return math.exp(min(0.0, deficit) / phones)


def _bounded(value: float, most: float) -> float:
    return max(-most, min(most, value))


def _logistic(weights: Sequence[float], features: Sequence[float]) -> float:
    total = sum(weight * feature for weight, feature in zip(weights, features, strict=True))
    return 1.0 / (1.0 + math.exp(-_bounded(total, 30.0)))
