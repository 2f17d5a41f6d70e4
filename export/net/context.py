"""How far the layers of a time-delay network look back and ahead, as (left, right) pairs of outputs.

A layer that looks ``right`` outputs ahead answers that many outputs late, and delays what it adds to by as
much. So the network answers late by the sum, and all of a layer's past is its last ``left + right`` inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from export.net.front import SUBSAMPLING

Contexts = Sequence[Sequence[int]]
"""One (left, right) pair a layer; lists too, since TOML has no tuples."""


def check_contexts(contexts: Contexts, lookahead_frames: int) -> None:
    """Refuse contexts that are none, or that look further ahead than ``lookahead_frames`` feature frames.

    Raises
    ------
    ValueError: with the pair or the sum that is wrong.
    """
    if not contexts:
        raise ValueError("contexts must hold a (left, right) pair for each layer, got none")
    for pair in contexts:
        if len(pair) != 2 or min(pair) < 0 or not any(pair):
            raise ValueError(
                f"contexts must hold pairs (left, right) from 0 on and not both 0, got {tuple(pair)}"
            )
    ahead = SUBSAMPLING * sum(right for _, right in contexts)
    if ahead > lookahead_frames:
        raise ValueError(
            f"the layers look {ahead} frames ahead, more than lookahead_frames, {lookahead_frames}"
        )


def taps(left: int, right: int) -> list[int]:
    """What a layer sees of ``left`` outputs back, now and ``right`` ahead, counted from the oldest one."""
    return sorted({0, left, left + right})


def reaches(contexts: Contexts) -> list[int]:
    """Inputs of the past that each layer keeps."""
    return [left + right for left, right in contexts]
