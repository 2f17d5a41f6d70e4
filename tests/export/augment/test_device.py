"""Speed, pitch, level, band and codec: what a voice, a microphone and a line do to speech."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="filters need scipy (the extra train)")

from edge_asr.arrays import Float32Array
from export.augment.band import KINDS, Band, band_limit, narrow
from export.augment.codec import CODECS, Codec, round_trip
from export.augment.level import Level, overdrive, perturb_level
from export.augment.pitch import Pitch, shift_pitch
from export.augment.speed import Speed, perturb_speed
from export.augment.step import Step
from export.augment.surroundings import Surroundings

RATE_HZ = 16_000
AROUND = Surroundings(sample_rate_hz=RATE_HZ)


def _energy(samples: Float32Array, low_hz: float, high_hz: float) -> float:
    """Energy between two frequencies."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(samples.size, 1 / RATE_HZ)
    return float(spectrum[(hz >= low_hz) & (hz < high_hz)].sum())


def _lag(one: Float32Array, other: Float32Array) -> int:
    """Samples by which ``other`` comes late."""
    size = 2 * max(one.size, other.size)
    correlation = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size)), size)
    at = int(correlation.argmax())
    return at if at < size // 2 else at - size


def test_speed_changes_length_and_pitch() -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    tone = np.sin(2 * np.pi * 1000 * t).astype(np.float32)
    fast = perturb_speed(tone, 1.1, RATE_HZ)
    assert fast.size == pytest.approx(RATE_HZ / 1.1, abs=2)
    assert _energy(fast, 1050, 1150) > 0.95 * _energy(fast, 0, 8000)
    assert perturb_speed(tone, 1.0, RATE_HZ) is tone


def test_pitch_moves_and_tempo_stays() -> None:
    pytest.importorskip("python_stretch", reason="needs python-stretch (the extra train)")
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    tone = (np.sin(2 * np.pi * 500 * t) * (t % 1 < 0.5)).astype(np.float32)
    high = shift_pitch(tone, 12.0, RATE_HZ)
    assert high.size == tone.size
    assert _energy(high, 950, 1050) > 0.9 * _energy(high, 0, 8000)
    frames = (high.reshape(-1, 1600) ** 2).mean(axis=1)
    assert frames[[1, 2, 3, 11, 12, 13]].min() > 30 * frames[[6, 7, 8, 16, 17, 18]].max()


def test_level_is_gain_and_clipping() -> None:
    x = np.array([0.1, -0.2, 0.9], dtype=np.float32)
    np.testing.assert_allclose(perturb_level(x, 20.0), [1.0, -1.0, 1.0])
    np.testing.assert_allclose(perturb_level(x, -20.0), [0.01, -0.02, 0.09], rtol=1e-6)


def test_overdrive_clips_only_peaks(speech: Float32Array) -> None:
    clipped = overdrive(speech, 6.0)
    assert np.abs(clipped).max() == pytest.approx(np.abs(speech).max() / 10**0.3, rel=1e-6)
    quiet = np.abs(speech) < 0.1
    np.testing.assert_array_equal(clipped[quiet], speech[quiet])
    assert overdrive(np.zeros(3, dtype=np.float32), 6.0).tolist() == [0, 0, 0]


def test_telephone_band_removes_the_rest() -> None:
    white = np.random.default_rng(0).normal(0, 0.1, 4 * RATE_HZ).astype(np.float32)
    limited = band_limit(white, 300, 3400, RATE_HZ)
    assert _energy(limited, 500, 3000) > 0.9 * _energy(white, 500, 3000)
    assert _energy(limited, 0, 120) < 0.01 * _energy(white, 0, 120)
    assert _energy(limited, 5500, 8000) < 0.01 * _energy(white, 5500, 8000)
    assert limited.size == white.size


def test_narrow_band_leaves_nothing_above_four_kilohertz() -> None:
    white = np.random.default_rng(0).normal(0, 0.1, 12_345).astype(np.float32)
    limited = narrow(white, RATE_HZ)
    assert limited.size == white.size
    assert _lag(white, limited) == 0
    assert _energy(limited, 4100, 8000) < 1e-3 * _energy(white, 4100, 8000)
    assert _energy(limited, 100, 3500) == pytest.approx(_energy(white, 100, 3500), rel=0.05)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("samples", [64_000, 12_345])
def test_codec_keeps_length_and_place(speech: Float32Array, codec: str, samples: int) -> None:
    speech = speech[:samples]
    levels = CODECS[codec].compression or (None,)
    for compression in levels:
        decoded = round_trip(speech, codec, RATE_HZ, compression=compression)
        assert decoded.shape == speech.shape and decoded.dtype == np.float32
        assert abs(_lag(speech, decoded)) <= 2
        assert not np.array_equal(decoded, speech)
        likeness = np.corrcoef(decoded, speech)[0, 1]
        assert likeness > 0.8


def test_a_smaller_file_sounds_worse(speech: Float32Array) -> None:
    def error(compression: float) -> float:
        return float(((round_trip(speech, "opus", RATE_HZ, compression=compression) - speech) ** 2).sum())

    assert error(1.0) > 2 * error(0.94)


@pytest.mark.parametrize("step", [Speed(), Pitch(), Level(clip_probability=0.5), Band(), Codec()], ids=repr)
def test_steps_are_pure_functions(step: Step, speech: Float32Array) -> None:
    if isinstance(step, Pitch):
        pytest.importorskip("python_stretch", reason="needs python-stretch (the extra train)")
    before, notes = speech.copy(), set()
    for seed in range(6):
        one, note = step(speech, np.random.default_rng(seed), AROUND)
        other, _ = step(speech, np.random.default_rng(seed), AROUND)
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.float32 and one.ndim == 1
        assert isinstance(step, Speed) or one.size == speech.size
        notes.add(note)
    np.testing.assert_array_equal(speech, before)
    assert len(notes) > 1, "what is drawn differs from seed to seed"


def test_every_kind_of_band_is_drawn(speech: Float32Array) -> None:
    for kind in KINDS:
        limited, _ = Band(kinds=(kind,))(speech, np.random.default_rng(0), AROUND)
        assert limited.size == speech.size and not np.array_equal(limited, speech)
