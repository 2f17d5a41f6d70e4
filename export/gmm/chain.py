"""The states that an utterance with known phones walks through, pauses included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Float64Array, Int64Array
from export.gmm.states import PHONE_STATES, States

PAUSE_PROBABILITY = 0.5
"""Of silence at a place where it may be."""
_NEVER = -np.inf


@dataclass(frozen=True)
class Chain:
    """States of one utterance in their order; a pause can be skipped."""

    states: Int64Array
    """(n,) distribution of each state."""
    positions: Int64Array
    """(n,) index of its phone within the utterance, -1 in pauses."""
    step: Float64Array
    """(n,) log-probability of where to go on, entering from the state before (its own leaving apart)."""
    skip: Float64Array
    """(n,) the same, entering from the state before a pause; -inf where none precedes."""
    first: Float64Array
    """(n,) log-probability of starting here."""
    last: Float64Array
    """(n,) log-probability of ending here, once the state is left; -inf where it may not."""

    def __len__(self) -> int:
        return len(self.states)


def chain(
    labels: Sequence[int],
    states: States,
    *,
    pauses: Sequence[bool] | None = None,
    probability: float = PAUSE_PROBABILITY,
) -> Chain:
    """The chain of an utterance.

    Parameters
    ----------
    labels: tokens of its phones from 1; none is nothing but silence.
    pauses: for each phone, whether silence may follow it; None is everywhere. It always may at both ends.
    probability: of silence where it may be.

    Raises
    ------
    ValueError: a token out of range, or another number of ``pauses`` than of ``labels``.
    """
    tokens = np.asarray(labels, dtype=np.int64)
    if len(tokens) and not 0 < tokens.min() <= tokens.max() < states.tokens:
        raise ValueError(f"phones must be in 1..{states.tokens - 1}")
    may_pause = np.ones(len(tokens), bool) if pauses is None else np.array(pauses, bool)
    if len(may_pause) != len(tokens):
        raise ValueError(f"expected pauses for {len(tokens)} phones, got {len(may_pause)}")
    silence = np.arange(states.silence)
    if not len(tokens):
        nothing = np.zeros(len(silence))
        first = np.where(silence == 0, 0.0, _NEVER)
        last = np.where(silence == silence[-1], 0.0, _NEVER)
        return Chain(silence, np.full(len(silence), -1), nothing, np.full(len(silence), _NEVER), first, last)
    may_pause[-1] = True
    numbers, positions, step, skip = [silence], [np.full(len(silence), -1)], [0.0] * len(silence), []
    skip += [_NEVER] * len(silence)
    enter, avoid = float(np.log(probability)), float(np.log1p(-probability))
    for i, own in enumerate(states.of(tokens)):
        after_pause = i == 0 or may_pause[i - 1]
        numbers.append(own)
        positions.append(np.full(PHONE_STATES, i))
        step += [0.0] * PHONE_STATES
        skip += [avoid if after_pause and i else _NEVER] + [_NEVER] * (PHONE_STATES - 1)
        if may_pause[i]:
            numbers.append(silence)
            positions.append(np.full(len(silence), -1))
            step += [enter] + [0.0] * (len(silence) - 1)
            skip += [_NEVER] * len(silence)
    count = len(step)
    first = np.full(count, _NEVER)
    first[0], first[len(silence)] = enter, avoid
    last = np.full(count, _NEVER)
    last[count - 1], last[count - 1 - len(silence)] = 0.0, avoid
    return Chain(
        np.concatenate(numbers), np.concatenate(positions), np.array(step), np.array(skip), first, last
    )


def equal_path(places: Chain, frames: int) -> Int64Array | None:
    """A path (frames,) that gives each state its equal share, with silence at the ends only.

    None where there are fewer frames than states.
    """
    spoken = np.flatnonzero(places.positions >= 0)
    silence = int(np.argmax(places.positions >= 0)) if len(spoken) else len(places)
    edges = np.arange(silence)
    route = np.concatenate([edges, spoken, len(places) - silence + edges]) if len(spoken) else edges
    if frames < len(route):
        return None
    return np.asarray(route[np.arange(frames) * len(route) // frames])
