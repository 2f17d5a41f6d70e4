"""What stands between the speaker and the microphone in a measurement: a room, and noise at a level.

Nothing of it is heard in training: the recipe of the packaged model holds the noises out (``held_out``), the
rooms have another seed, and those who babble are dev speakers.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from export.augment.clips import Clips
from export.augment.noise import Babble, mix
from export.augment.room import Place, Room, reverberate, room_bank
from export.augment.surroundings import Surroundings
from export.corpus import Utterance, read_set

NOISES = {
    "kitchen": ("boiling-water", "washing-machine", "laundry-room", "droplets", "ceiling-fan"),
    "car": ("road", "traffic", "rain-on-car-roof", "windshield-wipers", "busy-street"),
}
"""Kind -> recordings of the set ``noise`` (moodist); all are held out of training."""
KINDS = (*NOISES, "babble")
SNRS_DB = (20.0, 10.0, 5.0, 0.0)
_RATE_HZ = 16_000
_ROOM = Room(distance_m=(0.5, 3.0), t60_s=(0.2, 0.5), rooms=40, seed=977)
"""Other rooms than those of any recipe: the seed says so."""


@dataclass(frozen=True)
class Condition:
    """One way in which recordings are heard."""

    noise: str | None = None
    """A kind of noise, ``mixed`` for each kind in turn, or None."""
    snr_db: float = 0.0
    """Level of the speech above the noise, both while they are active."""
    room: bool = False
    """Whether the speaker stands in a simulated room."""

    @property
    def name(self) -> str:
        """``clean``, ``kitchen 10 dB``, ``room, mixed 10 dB``."""
        parts = ["room"] if self.room else []
        if self.noise:
            parts.append(f"{self.noise} {self.snr_db:g} dB")
        return ", ".join(parts) or "clean"


CLEAN = Condition()
NOISY = tuple(Condition(kind, snr_db) for kind in KINDS for snr_db in SNRS_DB)


class Scene:
    """Puts recordings into conditions, the same ones each time.

    Parameters
    ----------
    data: folder of the corpora.
    cache: where simulated rooms are kept.
    """

    def __init__(self, data: Path, cache: Path) -> None:
        noises = {u.audio.stem.removeprefix("moodist_"): u.audio for u in read_set(data, "noise", "train")}
        self._noises = {kind: Clips([noises[n] for n in names], _RATE_HZ) for kind, names in NOISES.items()}
        talkers = [u.audio for name in ("librispeech", "commonvoice") for u in read_set(data, name, "dev")]
        self._talkers = Clips(talkers, _RATE_HZ)
        self._cache = cache
        self._rooms: Sequence[Place] | None = None

    def hear(self, utterance: Utterance, condition: Condition) -> Float32Array:
        """Samples (n,) at 16 kHz of an utterance in a condition."""
        samples = read_audio(utterance.audio, _RATE_HZ)
        rng = np.random.default_rng(zlib.crc32(f"{utterance.corpus}/{utterance.audio.name}".encode()))
        if condition.room:
            if self._rooms is None:
                self._rooms = room_bank(_ROOM, _RATE_HZ, self._cache)
            samples = reverberate(samples, self._rooms[int(rng.integers(len(self._rooms)))].response)
        if condition.noise is None:
            return samples
        kind = KINDS[rng.integers(len(KINDS))] if condition.noise == "mixed" else condition.noise
        if kind == "babble":
            around = Surroundings(sample_rate_hz=_RATE_HZ, voices=self._talkers)
            return Babble(snr_db=(condition.snr_db, condition.snr_db))(samples, rng, around)[0]
        noise, _ = self._noises[kind].excerpt(samples.size, rng)
        return mix(samples, noise, condition.snr_db, _RATE_HZ)
