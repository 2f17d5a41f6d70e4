"""How far to trust a word and an utterance, from the acoustic scores alone.

The deficit of a path is its acoustic log-probability minus that of the best token of every frame,
taken frame by frame without any grammar. It is 0 where the model, left alone, would have heard just
this, and falls with every frame in which the grammar or the beam forced another token. Divided by
the number of phones and exponentiated it is the geometric mean, over phones, of the likelihood
ratio between what was said to be heard and what was heard; long and short words compare (after the
phone-normalised log-likelihood ratio of utterance verification, Jiang 2005, Confidence measures for
speech recognition, section 3). It is not yet a probability of being right: a model's bundle may map
it to one. Where no graph forces anything, the deficit is a log posterior, and the confidence the
geometric mean of the posteriors of the tokens.
"""

from __future__ import annotations

import math

from edge_asr.decoder.trace import Hypothesis, WordHit


def word_confidence(hit: WordHit) -> float:
    """Confidence of one word in [0, 1] from the frames between its first and last phone."""
    return _per_phone(hit.deficit, len(hit.phones))


def utterance_confidence(hypothesis: Hypothesis) -> float:
    """Confidence of the whole utterance in [0, 1]; 0 where no word was heard.

    The mean over all phones as for a word, but of all frames: speech that the path passes over
    between or around its words as if it were silence counts against it. That is what tells a
    command from a sentence that merely contains sounds of one.
    """
    phones = sum(len(hit.phones) for hit in hypothesis.words)
    return _per_phone(hypothesis.deficit, phones) if phones else 0.0


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
