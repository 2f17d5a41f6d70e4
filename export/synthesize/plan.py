"""Who says what, and how fast: drawn from a seed, one utterance independent of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

BLEND_SHARE = 0.5
"""Share of blends of two voices where an engine can blend."""


@dataclass(frozen=True)
class Line:
    """One utterance to be spoken."""

    text: str
    """Lower-case words."""
    voice: str
    """A voice of the engine, or a blend ``one*0.3+other``."""
    speed: float
    """How many times as fast as usual."""


def draw_lines(
    texts: Sequence[str],
    voices: Sequence[str],
    *,
    count: int,
    seed: int,
    blends: bool,
    speeds: tuple[float, float],
) -> Iterator[Line]:
    """``count`` lines: every text once in random order, then every text again, each in a random voice.

    The first lines are the same whatever ``count`` is, so that a set can grow.
    """
    for i in range(count):
        turn, place = divmod(i, len(texts))
        if place == 0:
            order = np.random.default_rng([seed, 0, turn]).permutation(len(texts))
        rng = np.random.default_rng([seed, 1, i])
        speed = round(float(rng.uniform(*speeds)), 3)
        voice = str(rng.choice(voices))
        if blends and len(voices) > 1 and rng.random() < BLEND_SHARE:
            other = str(rng.choice([v for v in voices if v != voice]))
            voice = f"{voice}*{rng.uniform(0.3, 0.7):.2f}+{other}"
        yield Line(texts[order[place]], voice, speed)
