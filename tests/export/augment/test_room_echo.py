"""Simulated rooms: normalised, aligned, duller and longer with distance, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_asr.arrays import Float32Array

pyroomacoustics = pytest.importorskip(
    "pyroomacoustics", reason="rooms need pyroomacoustics (the extra train)"
)

from export.augment.room import Place, Room, reverberate, room_bank, simulate  # noqa: E402
from export.augment.surroundings import Surroundings  # noqa: E402

RATE_HZ = 16_000
DIRECT = 48
"""Samples of the direct sound: 8 before its peak and 2.5 ms after."""


def _direct_to_reverberant_db(place: Place) -> float:
    direct, rest = place.response[:DIRECT], place.response[DIRECT:]
    return float(10 * np.log10((direct**2).sum() / (rest**2).sum()))


def _places(distance_m: float, t60_s: float, count: int = 6) -> list[Place]:
    config = Room(distance_m=(distance_m, distance_m), t60_s=(t60_s, t60_s))
    return [simulate(config, np.random.default_rng(i), RATE_HZ) for i in range(count)]


def test_direct_sound_comes_first_and_has_energy_one() -> None:
    for place in _places(1.0, 0.2):
        assert (place.response[:DIRECT] ** 2).sum() == pytest.approx(1, abs=1e-4)
        assert np.abs(place.response[:DIRECT]).argmax() <= 10
        assert place.response.dtype == np.float32


def test_far_speech_has_more_echo() -> None:
    near, far = (np.mean([_direct_to_reverberant_db(p) for p in _places(d, 0.25)]) for d in (0.4, 2.5))
    assert near > far + 6


def test_echo_lasts_as_long_as_asked() -> None:
    for t60_s in (0.2, 0.4):
        measured = [
            pyroomacoustics.experimental.measure_rt60(p.response, RATE_HZ, decay_db=20)
            for p in _places(1.0, t60_s, 4)
        ]
        assert np.median(measured) == pytest.approx(t60_s, rel=0.35)


def test_reverberation_keeps_length_and_place() -> None:
    click = np.zeros(4000, dtype=np.float32)
    click[1000] = 0.5
    [place] = _places(0.5, 0.15, 1)
    wet = reverberate(click, place.response)
    assert wet.shape == click.shape
    assert abs(int(np.abs(wet).argmax()) - 1000) <= 10
    assert np.abs(wet[:999]).max() < 1e-6


def test_a_bank_is_computed_once_and_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Room(rooms=3, t60_s=(0.12, 0.2))
    first = room_bank(config, RATE_HZ, tmp_path / "one")
    again = room_bank(config, RATE_HZ, tmp_path / "two")
    assert len({p.distance_m for p in first}) == 3
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.response, b.response)
        assert 0.3 <= a.distance_m <= 5.0 and 0.12 <= a.t60_s <= 0.2
    monkeypatch.setattr("export.augment.room.simulate", None)
    cached = room_bank(Room(rooms=3, t60_s=(0.12, 0.2), probability=0.9), RATE_HZ, tmp_path / "one")
    np.testing.assert_array_equal(cached[2].response, first[2].response)


def test_room_is_a_pure_function(speech: Float32Array) -> None:
    around = Surroundings(rooms=_places(1.0, 0.15, 3))
    one, note = Room()(speech, np.random.default_rng(1), around)
    np.testing.assert_array_equal(one, Room()(speech, np.random.default_rng(1), around)[0])
    assert note == "1.0 m, T60 0.15 s"
    assert not np.array_equal(one, speech)
