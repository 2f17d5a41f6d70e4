"""Is what was heard to be believed, and if not, why? Decisions on numbers alone."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from edge_asr.audio.level import Level
from edge_asr.decoder.trace import Hypothesis

Reason: TypeAlias = Literal["silence", "noise", "out_of_grammar", "too_quiet", "clipped"]

CLIPPED_SHARE: Final = 0.005
"""From this share of samples at full scale on, clipping is named: speech shouted into a microphone with
too much gain has several per cent, a loud but clean recording none."""
SILENT_DB: Final = -65.0
"""Below this loudness nothing was said: the hiss of cheap microphones lies there."""
QUIET_DB: Final = -50.0
"""Below this loudness speech is too quiet: half a metre from a microphone it has -40 to -20 dB."""


def reject(
    hypothesis: Hypothesis,
    level: Level,
    *,
    margin: float,
    least_margin: float,
    confidence: float,
    least_confidence: float,
) -> Reason | None:
    """Why an utterance is not accepted; None where it is.

    Parameters
    ----------
    margin: by how much the words are likelier than silence (decoder/confidence.py).
    confidence: of the utterance, between 0 and 1.
    """
    if hypothesis.words and margin >= least_margin and confidence >= least_confidence:
        return None
    if level.loudest_db < SILENT_DB or not hypothesis.frames:
        return "silence"
    if level.clipped >= CLIPPED_SHARE:
        return "clipped"
    if level.loudest_db < QUIET_DB:
        return "too_quiet"
    if hypothesis.outcome == "silence" or (hypothesis.words and margin < least_margin):
        return "noise"
    return "out_of_grammar"
