"""What happens to each utterance of a batch, drawn from the chains of a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from edge_asr.arrays import Float32Array, Int64Array
from export.augment.band import Band
from export.augment.chain import Chain

_NARROW_HZ = 3900.0
_TELEPHONE_HZ = (300.0, 3400.0)
_STEEP = 12
"""Order of the filters of a line that is sampled at 8 kHz."""
_LINES = ("ulaw", "alaw")
"""Codecs that are computed here; the others need a program for each utterance."""


@dataclass(kw_only=True)
class Draws:
    """One row an utterance; what does not happen to it has the value named here."""

    room: Int64Array
    """Impulse response of the bank; -1 is none."""
    voices: Int64Array
    """Other people who speak; 0 is none."""
    babble_db: Float32Array
    """Level of the speech above all of them; nan."""
    noise_db: Float32Array
    """Level of the speech above a noise; nan."""
    low_hz: Float32Array
    """Where the band begins; 0.001."""
    high_hz: Float32Array
    """Where it ends; 1e6."""
    order: Float32Array
    """Of both filters; 1."""
    gain_db: Float32Array
    """Gain; 0."""
    overdrive_db: Float32Array
    """How far the peak lies above the preamplifier's ceiling; 0."""
    line: Float32Array
    """Whether eight bits a sample are left: 1; 0."""
    pitch_hz: Float32Array
    """Pitch of another voice; 0 is one's own."""
    glide: Float32Array
    """Octaves that it moves; 0."""
    breath: Float32Array
    """Share of noise in it; 0."""
    formants: Float32Array
    """Scale of its resonances; 1."""
    lead: Int64Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Samples before the utterance in which nobody speaks."""

    @classmethod
    def none(cls, count: int) -> Draws:
        """Nothing happens to any of ``count``."""
        quiet = {"babble_db": np.nan, "noise_db": np.nan, "low_hz": 1e-3, "high_hz": 1e6}
        quiet |= {"order": 1.0, "formants": 1.0}
        made: dict[str, object] = {}
        for each in fields(cls):
            if each.name in ("room", "voices", "lead"):
                made[each.name] = np.full(count, -1 if each.name == "room" else 0, dtype=np.int64)
            else:
                made[each.name] = np.full(count, quiet.get(each.name, 0.0), dtype=np.float32)
        return cls(**made)  # type: ignore[arg-type]


def draw(
    count: int,
    chains: Sequence[Chain | None],
    rooms: Sequence[tuple[int, int]],
    rng: np.random.Generator,
    *,
    level_db: tuple[float, ...],
    most_lead: int,
) -> Draws:
    """Draw for ``count`` utterances; each meets one of the ``chains``, None being a change of level alone.

    Parameters
    ----------
    rooms: of each chain, the first impulse response of its bank and the one after its last.
    level_db: range of the gain without a chain.
    most_lead: bound of the samples before a distorted utterance, in half of the cases.
    """
    draws = Draws.none(count)
    for i, choice in enumerate(rng.integers(len(chains), size=count)):
        chain = chains[choice]
        if chain is None:
            draws.gain_db[i] = rng.uniform(level_db[0], level_db[-1])
            continue
        if rng.random() < 0.5:
            draws.lead[i] = rng.integers(most_lead + 1)
        if chain.vocoder and rng.random() < chain.vocoder.probability:
            voice = chain.vocoder.draw(rng)
            draws.pitch_hz[i], draws.glide[i], draws.breath[i], draws.formants[i] = voice
        if chain.room and rng.random() < chain.room.probability:
            draws.room[i] = rng.integers(*rooms[choice])
        if chain.babble and rng.random() < chain.babble.probability:
            low, high = chain.babble.voices
            draws.voices[i], draws.babble_db[i] = (
                rng.integers(low, high + 1),
                rng.uniform(*chain.babble.snr_db),
            )
        if chain.noise and rng.random() < chain.noise.probability:
            draws.noise_db[i] = rng.uniform(*chain.noise.snr_db)
        if chain.band and rng.random() < chain.band.probability:
            draws.low_hz[i], draws.high_hz[i], draws.order[i] = _band(chain.band, rng)
        if chain.level and rng.random() < chain.level.probability:
            draws.gain_db[i] = rng.uniform(*chain.level.gain_db)
            if rng.random() < chain.level.clip_probability:
                draws.overdrive_db[i] = rng.uniform(*chain.level.overdrive_db)
        if chain.codec and rng.random() < chain.codec.probability:
            draws.line[i] = str(rng.choice(chain.codec.codecs)) in _LINES
            if draws.line[i]:
                draws.high_hz[i], draws.order[i] = min(draws.high_hz[i], _NARROW_HZ), _STEEP
    return draws


def _band(band: Band, rng: np.random.Generator) -> tuple[float, float, float]:
    kind = str(rng.choice(band.kinds))
    if kind == "narrow":
        return 1e-3, _NARROW_HZ, _STEEP
    if kind == "telephone":
        return *_TELEPHONE_HZ, 4.0
    return rng.uniform(*band.low_hz), rng.uniform(*band.high_hz), float(rng.integers(1, 5))
