"""Speech from across the room: a bank of simulated room impulse responses, computed once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edge_asr.arrays import Float32Array
from export.augment.step import Range, check_probability, check_range
from export.augment.surroundings import Surroundings
from export.cache_key import cache_key

SOUND_M_PER_S = 343.0
"""Speed of sound in air of 20 degrees Celsius."""
_SMALLEST_M, _LARGEST_M = (2.2, 2.2, 2.2), (9.0, 7.0, 3.6)
"""Length, width and height of rooms in homes, and of a cabin at the small end."""
_FROM_WALL_M = 0.2
_DIRECT_S = 0.0025
"""The direct sound and what cannot be told from it (ISO 3382-1 counts 2.5 ms for its early window)."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """Distance and echoes."""

    probability: float = 0.5
    """Share of utterances that it happens to."""
    distance_m: Range = (0.3, 5.0)
    """From mouth to microphone."""
    t60_s: Range = (0.12, 0.6)
    """Time in which an echo falls by 60 dB: 0.1 in a car, 0.3 to 0.6 in furnished rooms."""
    rooms: int = 120
    """Impulse responses in the bank; each takes about half a second to compute."""
    seed: int = 0
    """Of the bank."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("distance_m", self.distance_m, 0.05, 8.0)
        check_range("t60_s", self.t60_s, 0.05, 1.5)
        if self.rooms < 1:
            raise ValueError(f"rooms must be at least 1, got {self.rooms}")

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (n,)."""
        assert around.rooms is not None, "the surroundings of a chain with a room hold rooms"
        place = around.rooms[int(rng.integers(len(around.rooms)))]
        return reverberate(samples, place.response), f"{place.distance_m:.1f} m, T60 {place.t60_s:.2f} s"


@dataclass(frozen=True)
class Place:
    """One mouth and one microphone in one room."""

    response: Float32Array
    """(taps,) impulse response from the direct sound on, whose first 2.5 ms have energy 1."""
    distance_m: float
    """From mouth to microphone."""
    t60_s: float
    """What the walls were chosen for."""


def reverberate(samples: Float32Array, response: Float32Array) -> Float32Array:
    """Convolve: (n,), (taps,) -> (n,), aligned with the direct sound and turned down where it would clip."""
    from scipy.signal import fftconvolve

    wet = fftconvolve(samples, response)[: samples.size]
    return np.asarray(wet / max(1.0, float(np.abs(wet).max(initial=0.0))), dtype=np.float32)


def simulate(config: Room, rng: np.random.Generator, sample_rate_hz: int) -> Place:
    """One place at random.

    Source: J. Allen and D. Berkley, "Image method for efficiently simulating small-room acoustics", JASA
    65(4), 1979, as computed by pyroomacoustics (R. Scheibler et al., ICASSP 2018).
    """
    import pyroomacoustics

    while True:
        size = rng.uniform(_SMALLEST_M, _LARGEST_M)
        t60_s, distance_m = rng.uniform(*config.t60_s), rng.uniform(*config.distance_m)
        microphone = rng.uniform(_FROM_WALL_M, size - _FROM_WALL_M)
        direction = rng.standard_normal(3) * (1.0, 1.0, 0.3)  # people and devices are about equally high
        mouth = microphone + distance_m * direction / np.linalg.norm(direction)
        if not np.all((mouth > _FROM_WALL_M) & (mouth < size - _FROM_WALL_M)):
            continue
        try:
            absorption, order = pyroomacoustics.inverse_sabine(t60_s, size)
        except ValueError:
            continue  # no wall swallows enough for so short an echo in so large a room
        break
    room = pyroomacoustics.ShoeBox(
        size,
        fs=sample_rate_hz,
        materials=pyroomacoustics.Material(absorption),
        max_order=order,
        air_absorption=True,
    )
    room.add_source(mouth)
    room.add_microphone(microphone)
    room.compute_rir()
    # The library centres its fractional delay filters, which are an odd number of taps, on the true time.
    late = pyroomacoustics.constants.get("frac_delay_length") // 2
    direct = round(distance_m / SOUND_M_PER_S * sample_rate_hz) + late
    half = round(_DIRECT_S * sample_rate_hz)
    response = np.asarray(room.rir[0][0], dtype=np.float64)[max(0, direct - 8) :]
    response = response[: round(1.1 * t60_s * sample_rate_hz) + half]
    response /= np.sqrt((response[: 8 + half] ** 2).sum())
    return Place(response.astype(np.float32), float(distance_m), float(t60_s))


def room_bank(config: Room, sample_rate_hz: int, cache: Path) -> list[Place]:
    """The bank of a configuration, computed if ``cache`` does not hold it.

    The probability does not count: it changes nothing about the rooms.
    """
    what = {k: v for k, v in asdict(config).items() if k != "probability"} | {"rate": sample_rate_hz}
    key = cache_key(what)
    path = cache / f"rooms-{key}.npz"
    if not path.is_file():
        rooms = tqdm(range(config.rooms), desc="rooms", mininterval=5)
        places = [simulate(config, np.random.default_rng([config.seed, i]), sample_rate_hz) for i in rooms]
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(
            part,
            taps=np.concatenate([p.response for p in places]),
            offsets=np.cumsum([0, *(p.response.size for p in places)]),
            distance_m=[p.distance_m for p in places],
            t60_s=[p.t60_s for p in places],
        )
        part.replace(path)  # so that a bank is whole or absent
    with np.load(path) as bank:
        taps, offsets = bank["taps"], bank["offsets"]
        return [
            Place(taps[offsets[i] : offsets[i + 1]], float(bank["distance_m"][i]), float(bank["t60_s"][i]))
            for i in range(len(offsets) - 1)
        ]
