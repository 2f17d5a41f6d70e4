"""One distortion: what a chain asks of it, and the checks that all their settings share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from edge_asr.arrays import Float32Array

if TYPE_CHECKING:
    from export.augment.surroundings import Surroundings

Range: TypeAlias = tuple[float, float]
"""Lowest and highest value; what is drawn lies evenly between."""


class Step(Protocol):
    """A frozen dataclass of settings that is also the distortion."""

    @property
    def probability(self) -> float:
        """Share of utterances that it happens to."""

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """Distort, the same for the same generator.

        Parameters
        ----------
        samples: (n,) in [-1, 1] at ``around.sample_rate_hz``; never written to.

        Returns
        -------
        (n,) samples, aligned with the input (another length only where time itself is changed), and a few
        words that say what was drawn.
        """


def check_probability(value: float) -> None:
    """Raise ValueError unless 0 <= value <= 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"probability must be in 0..1, got {value:g}")


def check_range(name: str, values: Range, low: float, high: float) -> None:
    """Raise ValueError unless ``values`` are two numbers in order within low..high."""
    if len(values) != 2 or not low <= values[0] <= values[1] <= high:
        shown = ", ".join(f"{value:g}" for value in values)
        raise ValueError(f"{name} must be [lowest, highest] within {low:g}..{high:g}, got [{shown}]")


def check_choice(name: str, values: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raise ValueError unless ``values`` is a choice, not empty, of ``known``."""
    unknown = [value for value in values if value not in known]
    if unknown or not values:
        raise ValueError(
            f"{name} must be some of {', '.join(known)}, got {unknown[0] if unknown else 'none'}"
        )
