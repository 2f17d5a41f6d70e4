"""From phones in feature frames to what each output of a network should say."""

from __future__ import annotations

import numpy as np

from edge_asr.arrays import Int64Array

BLANK = 0
"""CTC's token for nothing new."""


def output_targets(
    positions: Int64Array, labels: Int64Array, *, subsampling: int, outputs: int, late_outputs: int
) -> Int64Array:
    """Tokens that a CTC network should answer.

    Output o is due for the frames from ``(o - late_outputs) * subsampling`` on, and says what is in the
    middle one of them. A phone is said for as long as it sounds, silence is blank: a network that learns
    frame by frame then knows where each phone begins and ends, and CTC itself makes the answers short
    later. In between two equal phones one output is blank, or CTC would take them for one: the last of the
    first phone, else the first of the second. Where both have one output only, they stay merged; with
    three outputs for two phones that is never so, and a phone of three frames always has one.

    Parameters
    ----------
    positions: (frames,) index into ``labels`` of each frame's phone, -1 in silence.
    labels: (phones,) tokens from 1.

    Returns
    -------
    (outputs,) tokens, blank before the first frame and after the last.

    Raises
    ------
    ValueError: a subsampling below 1, a negative delay, or a position beyond the labels.
    """
    if subsampling < 1 or late_outputs < 0:
        raise ValueError("subsampling must be positive, late_outputs not negative")
    if len(positions) and not -1 <= positions.min() <= positions.max() < len(labels):
        raise ValueError(f"positions must be in -1..{len(labels) - 1}")
    # An output whose middle frame is beyond the end takes the last one there is, lest a phone be lost.
    steps = -(-len(positions) // subsampling)
    middle = np.minimum(np.arange(steps) * subsampling + subsampling // 2, len(positions) - 1)
    spoken = positions[middle]
    said = np.where(spoken >= 0, np.append(labels, BLANK)[spoken], BLANK)
    for o in np.flatnonzero((said[1:] == said[:-1]) & (spoken[1:] != spoken[:-1]) & (said[1:] != BLANK)):
        if o and spoken[o - 1] == spoken[o] and said[o - 1] != BLANK:
            said[o] = BLANK
        elif o + 2 < steps and spoken[o + 2] == spoken[o + 1]:
            said[o + 1] = BLANK
    result = np.full(outputs, BLANK, dtype=np.int64)
    room = max(0, min(steps, outputs - late_outputs))
    result[late_outputs : late_outputs + room] = said[:room]
    return result
