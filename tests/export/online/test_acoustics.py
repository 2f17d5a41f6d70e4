"""Distortions of batches are those of single recordings."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from edge_asr.arrays import Float32Array  # noqa: E402
from export.augment.loudness import active_power  # noqa: E402
from export.augment.room import reverberate  # noqa: E402
from export.augment.speed import perturb_speed  # noqa: E402
from export.online import acoustics  # noqa: E402


def speech_like(n: int, seed: int) -> Float32Array:
    """Bursts of low-passed noise between pauses."""
    rng = np.random.default_rng(seed)
    smooth = np.convolve(rng.standard_normal(n), np.hanning(16), "same")
    bursts = np.sin(np.arange(n) / 4000) > 0
    return (0.05 * bursts * smooth).astype(np.float32)


WAVES = np.stack([speech_like(30_000, seed) for seed in (1, 2, 3)])
BATCH = torch.from_numpy(WAVES)


def test_pieces_come_out_of_the_long_array() -> None:
    samples = torch.arange(100, dtype=torch.int16)
    found = acoustics.gathered(samples, torch.tensor([10, 97]), torch.tensor([3, 3]), 5) * 32768
    assert found.tolist() == [[10, 11, 12, 0, 0], [97, 98, 99, 0, 0]]


@pytest.mark.parametrize("speed", [0.8, 1.0, 1.25])
def test_speed_is_what_a_resampler_does(speed: float) -> None:
    found = acoustics.at_speed(BATCH, speed).numpy()
    for row, wave in zip(found, WAVES, strict=True):
        expected = perturb_speed(wave, speed, 16_000)
        n = min(row.size, expected.size) - 800
        error = np.abs(row[800:n] - expected[800:n]).max()
        assert error < 0.01 * np.abs(expected).max()


def test_echoes_are_those_of_the_room() -> None:
    rng = np.random.default_rng(0)
    response = (rng.standard_normal(3000) * np.exp(-np.arange(3000) / 500)).astype(np.float32)
    alone = np.zeros(3000, dtype=np.float32)
    alone[0] = 1.0
    responses = torch.from_numpy(np.stack([response, alone, response]))
    found = acoustics.reverberated(BATCH, responses).numpy()
    np.testing.assert_allclose(found[0], reverberate(WAVES[0], response), atol=1e-4)
    np.testing.assert_allclose(found[1], WAVES[1], atol=1e-5)


def test_active_power_is_p56() -> None:
    found = acoustics.active_power(BATCH).numpy()
    np.testing.assert_allclose(found, [active_power(wave, 16_000) for wave in WAVES], rtol=1e-3)
    assert acoustics.active_power(torch.zeros(1, 5000)).item() == 0


def test_noise_lies_so_far_below_speech() -> None:
    noise = torch.from_numpy(np.random.default_rng(5).standard_normal((3, 30_000)).astype(np.float32)) * 0.001
    found = acoustics.mixed(BATCH, noise, torch.tensor([10.0, float("nan"), -3.0]))
    for i, snr_db in ((0, 10.0), (2, -3.0)):
        added = found[i] - BATCH[i]
        ratio = acoustics.active_power(BATCH[i : i + 1]) / acoustics.active_power(added[None])
        assert 10 * ratio.log10().item() == pytest.approx(snr_db, abs=0.1)
    assert torch.equal(found[1], BATCH[1])


def test_silence_gets_no_noise() -> None:
    noise = torch.ones(1, 1000)
    assert not acoustics.mixed(torch.zeros(1, 1000), noise, torch.tensor([0.0])).any()


def test_a_band_lets_its_middle_pass() -> None:
    t = torch.arange(16_000) / 16_000
    tones = torch.stack([torch.sin(2 * torch.pi * hz * t) for hz in (50.0, 1000.0, 3400.0, 7000.0)])
    count = torch.ones(4)
    found = acoustics.band_limited(tones, 300 * count, 3400 * count, 4 * count, 16_000)
    gains = (found.square().mean(dim=1) / tones.square().mean(dim=1)).sqrt().tolist()
    assert gains == pytest.approx([0.0, 1.0, 0.707, 0.06], abs=0.01)


def test_levels_clip_where_they_should() -> None:
    found = acoustics.levelled(BATCH, torch.tensor([0.0, 6.0206, 60.0]), torch.tensor([0.0, 6.0206, 0.0]))
    assert torch.equal(found[0], BATCH[0])
    assert found[1].abs().max().item() == pytest.approx(BATCH[1].abs().max().item(), rel=1e-3)
    assert found[2].abs().max().item() == 1.0


def test_a_line_leaves_eight_bits() -> None:
    found = acoustics.companded(BATCH, torch.tensor([True, False, True]))
    assert torch.equal(found[1], BATCH[1])
    assert len(found[0].unique()) <= 255
    error = (found[0] - BATCH[0]).square().mean() / BATCH[0].square().mean()
    assert -10 * error.log10().item() > 30  # dB
