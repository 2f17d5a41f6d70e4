"""Noise comes as loud as was drawn, measured while somebody speaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from export.augment.clips import Clips
from export.augment.loudness import active_power
from export.augment.noise import Babble, Noise, mix
from export.augment.surroundings import Surroundings
from export.corpus import read_set

RATE_HZ = 16_000


def _db(power_ratio: float) -> float:
    return float(10 * np.log10(power_ratio))


def test_pauses_do_not_count(speech: Float32Array) -> None:
    voiced = speech.reshape(-1, 3200)[::2]  # the bursts without the pauses
    expected = float((voiced.astype(np.float64) ** 2).mean())
    assert _db(active_power(speech, RATE_HZ) / expected) == pytest.approx(0, abs=0.2)
    longer = np.concatenate([speech, np.zeros(10 * RATE_HZ, dtype=np.float32)])
    assert active_power(longer, RATE_HZ) == pytest.approx(active_power(speech, RATE_HZ))


def test_a_faint_floor_does_not_count(speech: Float32Array) -> None:
    floor = np.random.default_rng(0).normal(0, 0.0003, speech.size).astype(np.float32)
    assert _db(active_power(speech + floor, RATE_HZ) / active_power(speech, RATE_HZ)) == pytest.approx(
        0, abs=0.2
    )


def test_silence_has_no_power() -> None:
    assert active_power(np.zeros(1000, dtype=np.float32), RATE_HZ) == 0
    assert active_power(np.zeros(0, dtype=np.float32), RATE_HZ) == 0


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 25.0])
def test_snr_is_the_drawn_one(speech: Float32Array, snr_db: float) -> None:
    speech = speech * np.float32(0.1)  # far from full scale, so that nothing is turned down
    noise = np.random.default_rng(1).normal(0, 0.2, speech.size).astype(np.float32)
    added = mix(speech, noise, snr_db, RATE_HZ) - speech
    voiced = speech.reshape(-1, 3200)[::2]
    assert _db(float((voiced**2).mean() / (added**2).mean())) == pytest.approx(snr_db, abs=0.5)


def test_snr_on_real_speech(shared_data: Path) -> None:
    """The level of the loudest half of the frames moves with the noise: an independent measure."""
    noise = np.random.default_rng(2).normal(0, 0.05, 30 * RATE_HZ).astype(np.float32)
    for utterance in read_set(shared_data, "grid", "dev")[:3]:
        speech = read_audio(utterance.audio, RATE_HZ) * np.float32(0.1)
        added = mix(speech, noise[: speech.size], 5.0, RATE_HZ) - speech
        frames = speech[: speech.size // 320 * 320].reshape(-1, 320)
        powers = (frames**2).mean(axis=1)
        active = powers[powers > powers.max() / 300]
        assert _db(float(active.mean() / (added**2).mean())) == pytest.approx(5.0, abs=1.5)


def test_a_sum_beyond_full_scale_is_turned_down_and_not_clipped(speech: Float32Array) -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, speech.size).astype(np.float32)
    mixed = mix(speech, noise, -20.0, RATE_HZ)
    assert np.abs(mixed).max() == pytest.approx(1.0, abs=1e-6)
    assert (np.abs(mixed) > 0.999).sum() == 1


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_nothing_is_mixed_with_silence(speech: Float32Array, snr_db: float) -> None:
    silence = np.zeros_like(speech)
    assert mix(speech, silence, snr_db, RATE_HZ) is speech
    assert mix(silence, speech, snr_db, RATE_HZ) is silence


def test_excerpts_fill_and_repeat(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.linspace(-1, 1, 8000), RATE_HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "short.wav", np.full(100, 0.5), RATE_HZ, subtype="FLOAT")
    clips = Clips(list(tmp_path.glob("*.wav")), RATE_HZ)
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(12):
        wave, name = clips.excerpt(2000, rng)
        seen.add((name, float(wave[0])))
        assert wave.shape == (2000,) and wave.dtype == np.float32 and np.abs(wave).max() > 0
    assert {name for name, _ in seen} == {"long", "short"}
    assert len(seen) > 3, "excerpts begin at different places"


def test_noise_and_babble_are_pure_functions(tmp_path: Path, speech: Float32Array) -> None:
    rng = np.random.default_rng(0)
    for i in range(5):
        soundfile.write(tmp_path / f"{i}.wav", rng.normal(0, 0.1, 6000), RATE_HZ, subtype="FLOAT")
    clips = Clips(list(tmp_path.glob("*.wav")), RATE_HZ)
    around = Surroundings(noises=clips, voices=clips)
    before = speech.copy()
    for step in (Noise(), Babble(voices=(2, 2))):
        one, note = step(speech, np.random.default_rng(3), around)
        other, _ = step(speech, np.random.default_rng(3), around)
        np.testing.assert_array_equal(one, other)
        assert note.endswith("dB")
        assert not np.array_equal(one, step(speech, np.random.default_rng(4), around)[0])
    np.testing.assert_array_equal(speech, before)
