"""Warps and masks of the features."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from edge_asr.config import CmvnConfig, MfccConfig  # noqa: E402
from edge_asr.features.mel import mel_centres, mel_filters  # noqa: E402
from edge_asr.features.mfcc import mfcc  # noqa: E402
from export.augment.spec_augment import SpecAugment, SpecAugmentConfig, warp_matrices  # noqa: E402
from export.checkpoint import FrontEnd  # noqa: E402

MFCC = MfccConfig()
FRONT_END = FrontEnd(mfcc=MFCC, cmvn=CmvnConfig(mean=(0.0,) * 40, scale=(0.5,) * 40))
NO_MASKS = {"band_masks": 0, "time_masks_per_second": 0.0, "time_width": 0}


def augment(config: SpecAugmentConfig, features: torch.Tensor, seed: int = 0) -> torch.Tensor:
    lengths = torch.full((len(features),), features.shape[1])
    return SpecAugment(config, FRONT_END)(features, lengths, torch.Generator().manual_seed(seed))


def test_centres_are_where_filters_are_highest() -> None:
    shape = {"bins": 40, "low_hz": 20.0, "high_hz": 7600.0}
    filters = mel_filters(**shape, fft_size=1 << 16, sample_rate_hz=16_000)  # type: ignore[arg-type]
    centres = mel_centres(**shape)  # type: ignore[arg-type]
    np.testing.assert_allclose(filters.argmax(axis=0) * 16_000 / (1 << 16), centres, atol=0.2)


def test_a_factor_of_one_changes_nothing() -> None:
    np.testing.assert_allclose(warp_matrices(np.ones(2), MFCC), np.stack([np.eye(40)] * 2), atol=1e-5)


@pytest.mark.parametrize("factor", [0.85, 0.9, 1.1, 1.2])
def test_a_warped_peak_lies_at_its_frequency_over_the_factor(factor: float) -> None:
    """A filter hears what sounds at ``factor`` times its frequency: a peak moves the other way."""
    centres = mel_centres(bins=40, low_hz=20.0, high_hz=7600.0)
    [matrix] = warp_matrices(np.array([factor]), MFCC)
    for peak in (12, 20, 26):
        energies = np.exp(-0.5 * (np.arange(40) - peak) ** 2 / 4)
        heard = energies @ matrix
        place = (heard * centres).sum() / heard.sum()
        unwarped = (energies * centres).sum() / energies.sum()
        assert place == pytest.approx(unwarped / factor, rel=0.02)
    # Each filter hears a weighted mean of two neighbours, up to the last.
    np.testing.assert_allclose(matrix.sum(axis=0), 1, atol=1e-5)
    assert (matrix >= 0).all()
    assert matrix[:, -1].argmax() >= 37


def test_a_longer_vocal_tract_is_the_same_sound_at_lower_formants() -> None:
    """The cepstra of a warped noise band are near those of the band moved in frequency."""
    rng = np.random.default_rng(0)
    noise = np.fft.rfft(rng.standard_normal(160_000))
    hz = np.fft.rfftfreq(160_000, 1 / 16_000)

    def band(middle: float) -> torch.Tensor:
        shaped = noise * (0.02 + np.exp(-0.5 * ((hz - middle) / 250) ** 2))
        samples = (np.fft.irfft(shaped) * 3).astype(np.float32)
        return torch.from_numpy(mfcc(samples, MFCC)).mean(dim=0)

    high, low = band(2000), band(2000 / 1.1)
    mel = SpecAugment(SpecAugmentConfig(**NO_MASKS), FRONT_END)._to_mel * 0.5
    warped = (high @ mel).numpy() @ warp_matrices(np.array([1.1]), MFCC)[0]
    moved, same = (low @ mel).numpy(), (high @ mel).numpy()
    # Apart from the level: filters that are higher are wider, too.
    assert (warped - moved)[8:32].std() < 0.25 * (same - moved)[8:32].std()


def test_without_warp_and_masks_features_stay_as_they_are() -> None:
    features = torch.randn(3, 50, 40)
    torch.testing.assert_close(augment(SpecAugmentConfig(**NO_MASKS), features), features, atol=1e-4, rtol=0)


def test_each_utterance_is_warped_by_its_own_factor() -> None:
    features = torch.randn(1, 50, 40).expand(4, -1, -1).contiguous()
    config = SpecAugmentConfig(warp=0.1, **NO_MASKS)
    one, again, other = (augment(config, features, seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)
    assert all(not torch.allclose(one[0], one[i], atol=1e-3) for i in range(1, 4))
    assert torch.nn.functional.cosine_similarity(one.flatten(1), features.flatten(1)).min() > 0.5


def test_bands_and_stretches_are_silenced() -> None:
    features = torch.randn(8, 400, 40)
    masked = augment(SpecAugmentConfig(warp=0.1), features)
    gone = (masked.abs().sum(dim=2) == 0).float().mean()
    assert 0.01 < gone < 0.2
    mel = masked @ SpecAugment(SpecAugmentConfig(), FRONT_END)._to_mel
    silent_bands = (mel.abs().amax(dim=1) < 1e-3).sum(dim=1)
    assert ((silent_bands >= 0) & (silent_bands <= 16)).all()
    assert silent_bands.float().mean() > 3


@pytest.mark.parametrize("warp", [-0.1, 0.5])
def test_a_warp_out_of_range_is_refused(warp: float) -> None:
    with pytest.raises(ValueError, match="warp must lie in"):
        SpecAugmentConfig(warp=warp)
