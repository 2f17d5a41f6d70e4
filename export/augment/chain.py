"""Distortions in the order in which sound meets them, from the mouth to the recognizer."""

from __future__ import annotations

import dataclasses
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_asr.arrays import Float32Array
from export.augment.band import Band
from export.augment.clips import Clips
from export.augment.codec import Codec
from export.augment.level import Level
from export.augment.noise import Babble, Noise
from export.augment.pitch import Pitch
from export.augment.room import Room, room_bank
from export.augment.speed import Speed
from export.augment.step import Step
from export.augment.surroundings import Surroundings
from export.augment.vocoder import Vocoder
from export.corpus import read_set

_MOST_VOICES = 300
"""Utterances that babble is made of, so that they fit in memory: about 60 MB."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """One way in which utterances are heard: ``[[corpus.distortions]]`` of a recipe.

    A step that is not named does not happen. The order is that of nature and not of the file.
    """

    name: str
    """Lower-case letters, digits and '-'; names the features in the cache."""
    copies: int = 1
    """How often each utterance is distorted anew; an epoch hears one copy of all, or an undistorted one."""
    speed: Speed | None = None
    """Another speed."""
    pitch: Pitch | None = None
    """Another pitch."""
    vocoder: Vocoder | None = None
    """Another voice."""
    room: Room | None = None
    """Distance and echoes."""
    babble: Babble | None = None
    """Other speakers."""
    noise: Noise | None = None
    """Noises."""
    band: Band | None = None
    """What the microphone lets through."""
    level: Level | None = None
    """Gain and clipping."""
    codec: Codec | None = None
    """The line."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9-]+", self.name):
            raise ValueError(f"name must be lower-case letters, digits and '-', got {self.name!r}")
        if self.copies < 1:
            raise ValueError(f"copies must be at least 1, got {self.copies}")
        if not list(self.steps()):
            raise ValueError(f"{self.name} distorts nothing: name a step, for example noise = {{}}")

    def steps(self) -> Iterator[tuple[str, Step]]:
        """The steps that are named, in order."""
        for field in dataclasses.fields(self):
            step = getattr(self, field.name)
            if dataclasses.is_dataclass(step):
                yield field.name, step  # type: ignore[misc]  # a Step, by the fields' types

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, list[str]]:
        """Distort (n,) samples; returns them (m,) and what was done, a few words a step.

        Every step draws from a generator of its own, so that a change to one leaves the others' draws alone.
        """
        seed = int(rng.integers(2**63))
        notes = []
        for name, step in self.steps():
            child = np.random.default_rng([seed, zlib.crc32(name.encode())])
            if child.random() < step.probability:
                samples, note = step(samples, child, around)
                notes.append(note)
        return samples, notes


def surroundings(
    chain: Chain,
    *,
    root: Path,
    voices: Sequence[Path],
    cache: Path,
    sample_rate_hz: int,
    held_out: Sequence[str] = (),
) -> Surroundings:
    """What ``chain`` needs.

    Parameters
    ----------
    root: folder of the sets, where the noises are.
    voices: recordings for babble.
    cache: where simulated rooms are kept.
    held_out: noises that are not to be used (:func:`~export.corpus.read_set`).

    Raises
    ------
    UsageError: no such set of noises, or nothing in it, or no voices.
    """
    noises = others = rooms = None
    if chain.noise is not None:
        recordings = read_set(root, chain.noise.set, "train", held_out=held_out)
        noises = Clips([u.audio for u in recordings], sample_rate_hz)
    if chain.babble is not None:
        every = max(1, len(voices) // _MOST_VOICES)
        others = Clips(sorted(voices)[::every][:_MOST_VOICES], sample_rate_hz)
    if chain.room is not None:
        rooms = room_bank(chain.room, sample_rate_hz, cache)
    return Surroundings(sample_rate_hz=sample_rate_hz, noises=noises, voices=others, rooms=rooms)
