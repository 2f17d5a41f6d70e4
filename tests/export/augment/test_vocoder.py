"""Another voice says the same words: the pitch is the one drawn, the resonances are kept or moved."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from edge_asr.arrays import Float32Array  # noqa: E402
from export.augment.surroundings import Surroundings  # noqa: E402
from export.augment.vocoder import Vocoder, Voices, revoiced  # noqa: E402

RATE_HZ = 16000


def vowel(pitch_hz: float, resonance_hz: float, seconds: float = 0.8) -> Float32Array:
    """Harmonics under one broad resonance."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = np.zeros_like(t)
    for harmonic in np.arange(pitch_hz, 7000, pitch_hz):
        wave += np.sin(2 * np.pi * harmonic * t) / (1 + ((harmonic - resonance_hz) / 200) ** 2)
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def heard(
    wave: Float32Array, *, pitch_hz: float, glide: float, breath: float, formants: float
) -> Float32Array:
    voices = Voices(*(torch.tensor([number]) for number in (pitch_hz, glide, breath, formants)))
    generator = torch.Generator().manual_seed(1)
    return revoiced(torch.from_numpy(wave)[None], voices, RATE_HZ, generator)[0].numpy()


def pitch_of(wave: Float32Array) -> float:
    """Of the middle, by the highest peak of the autocorrelation between 50 and 400 Hz."""
    middle = wave[4000:8096]
    lags = np.correlate(middle, middle, "full")[middle.size - 1 :]
    low, high = RATE_HZ // 400, RATE_HZ // 50
    return RATE_HZ / (low + int(lags[low:high].argmax()))


def centre_of(wave: Float32Array) -> float:
    """Mean frequency of the power."""
    power = np.abs(np.fft.rfft(wave[4000:8096] * np.hanning(4096))) ** 2
    hz = np.fft.rfftfreq(4096, 1 / RATE_HZ)
    return float((power * hz).sum() / power.sum())


@pytest.mark.parametrize("pitch_hz", [80.0, 125.0, 250.0])
def test_a_monotonous_voice_has_the_pitch_that_was_drawn(pitch_hz: float) -> None:
    wave = heard(vowel(160, 800), pitch_hz=pitch_hz, glide=0.0, breath=0.0, formants=1.0)
    assert pitch_of(wave) == pytest.approx(pitch_hz, rel=0.03)


@pytest.mark.parametrize("formants", [0.85, 1.0, 1.2])
def test_resonances_move_by_their_factor(formants: float) -> None:
    wave = heard(vowel(120, 1500), pitch_hz=120, glide=0.0, breath=0.0, formants=formants)
    assert centre_of(wave) == pytest.approx(1500 * formants, rel=0.08)


def test_a_whisper_has_no_pitch() -> None:
    def regularity(wave: Float32Array) -> float:
        middle = wave[4000:8096]
        lags = np.correlate(middle, middle, "full")[middle.size - 1 :]
        return float(lags[40:320].max() / lags[0])

    spoken = vowel(120, 800)
    assert regularity(heard(spoken, pitch_hz=120, glide=0, breath=0.0, formants=1)) > 0.7
    assert regularity(heard(spoken, pitch_hz=120, glide=0, breath=1.0, formants=1)) < 0.5


def test_silence_stays_silence_and_loudness_stays_about_the_same() -> None:
    wave = np.concatenate([np.zeros(8000, np.float32), vowel(120, 800)])
    again = heard(wave, pitch_hz=150, glide=0.2, breath=0.2, formants=1.1)
    assert np.abs(again[:7000]).max() < 1e-3
    loudness = 10 * np.log10((again[9000:] ** 2).mean() / (wave[9000:] ** 2).mean())
    assert abs(loudness) < 4


def test_the_step_draws_the_same_for_the_same_generator_and_says_what() -> None:
    step = Vocoder(pitch_hz=(90, 90), formants=(1.1, 1.1))
    around = Surroundings(sample_rate_hz=RATE_HZ)
    first, note = step(vowel(120, 800), np.random.default_rng(3), around)
    again, _ = step(vowel(120, 800), np.random.default_rng(3), around)
    np.testing.assert_array_equal(first, again)
    assert first.shape == vowel(120, 800).shape and first.dtype == np.float32
    assert note.startswith("voice 90 Hz, formants 1.10")


@pytest.mark.parametrize("wrong", [{"pitch_hz": (10, 90)}, {"breath": (0.5, 0.1)}, {"probability": 2}])
def test_impossible_voices_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Vocoder(**wrong)  # type: ignore[arg-type]
