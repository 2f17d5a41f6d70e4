"""What distortions take from outside: recorded noises, other voices, simulated rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from export.augment.clips import Clips

if TYPE_CHECKING:
    from export.augment.room import Place


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Everything that a chain needs beside the speech."""

    sample_rate_hz: int = 16_000
    """Of the speech and all that is mixed with it."""
    noises: Clips | None = None
    """For :class:`~export.augment.noise.Noise`."""
    voices: Clips | None = None
    """For :class:`~export.augment.noise.Babble`."""
    rooms: Sequence[Place] | None = None
    """For :class:`~export.augment.room.Room`."""
