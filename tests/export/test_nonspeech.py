"""Sounds that nobody speaks: each kind from a seed, bounded, as long as asked and however short."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asr.arrays import Float32Array
from export import nonspeech as module
from export.nonspeech import nonspeech

RATE_HZ = 16_000
KINDS = sorted(set(module._KINDS))
DRAWN_FROM = len(module._KINDS)


def _sound(seed: int, seconds: float, rate_hz: int = RATE_HZ) -> Float32Array:
    return nonspeech(np.random.default_rng(seed), seconds=seconds, sample_rate_hz=rate_hz)


def _only(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(module, "_KINDS", (kind,) * DRAWN_FROM)


def test_every_kind_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [_sound(seed, 1.0) for seed in range(40)]
    times = dict.fromkeys(KINDS, 0)
    for kind in KINDS:
        _only(monkeypatch, kind)
        times[kind] = sum(np.array_equal(_sound(seed, 1.0), sound) for seed, sound in enumerate(drawn))
    assert sum(times.values()) == len(drawn), "each sound is of one kind"
    assert min(times.values()) >= 1, times
    assert times["tune"] > times["tone"] and times["beats"] > times["hum"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_is_its_seed_and_stays_below_full_scale(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    _only(monkeypatch, kind)
    sounds = [_sound(seed, 1.5) for seed in range(8)]
    for seed, sound in enumerate(sounds):
        np.testing.assert_array_equal(sound, _sound(seed, 1.5))
        assert sound.dtype == np.float32 and sound.shape == (24_000,)
        assert float(np.abs(sound).max()) <= 10 ** (-3 / 20) + 1e-6
    different = {sound.tobytes() for sound in sounds}
    assert len(different) == (1 if kind == "silence" else len(sounds))


@pytest.mark.parametrize("rate_hz", [8_000, RATE_HZ])
@pytest.mark.parametrize("seconds", [0.0, 1 / RATE_HZ, 0.0005, 0.001, 0.01, 0.03, 0.2])
@pytest.mark.parametrize("kind", KINDS)
def test_the_shortest_sounds_are_as_long_as_asked(
    monkeypatch: pytest.MonkeyPatch, kind: str, seconds: float, rate_hz: int
) -> None:
    """Drums once failed where less was left than their filter is long."""
    _only(monkeypatch, kind)
    for seed in range(25):
        sound = _sound(seed, seconds, rate_hz)
        assert sound.shape == (int(seconds * rate_hz),)
        assert bool(np.isfinite(sound).all()) and float(np.abs(sound).max(initial=0)) < 1


def test_a_beat_may_begin_in_the_last_samples() -> None:
    """Whatever the length, to the sample: hits that begin just before the end are cut, not an error."""
    for n in range(9_000, 9_400, 7):
        assert module._beats(np.random.default_rng(n), n, RATE_HZ).shape == (n,)


def _flux(sound: Float32Array) -> float:
    """How much the level of 20 ms frames varies beside its mean."""
    level = np.sqrt(np.square(sound[: sound.size // 320 * 320].reshape(-1, 320)).mean(axis=1))
    return float(level.std() / level.mean())


def test_beats_come_and_go_where_hum_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "hum")
    assert max(_flux(_sound(seed, 3.0)) for seed in range(8)) < 0.2
    _only(monkeypatch, "beats")
    assert min(_flux(_sound(seed, 3.0)) for seed in range(8)) > 0.5


def _tonality(sound: Float32Array) -> float:
    """Share of the power in the 200 strongest of 24,001 bins."""
    power = np.sort(np.square(np.abs(np.fft.rfft(sound))))[::-1]
    return float(power[:200].sum() / power.sum())


def test_tunes_are_made_of_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_beats", lambda rng, n, rate_hz: np.zeros(n))
    _only(monkeypatch, "tune")
    tonal = [_tonality(_sound(seed, 3.0)) for seed in range(8)]
    noise = np.random.default_rng(0).normal(size=48_000).astype(np.float32)
    assert min(tonal) > 5 * _tonality(noise), tonal
