"""Features of batches are those of the runtime."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from edge_asr.config import CmvnConfig, MfccConfig  # noqa: E402
from edge_asr.features.cmvn import cmvn  # noqa: E402
from edge_asr.features.mfcc import mfcc  # noqa: E402
from export.online.frontend import BatchFeatures, padded  # noqa: E402

MFCC = MfccConfig()
CMVN = CmvnConfig(mean=tuple(np.linspace(-60, 20, 40)), scale=tuple(np.linspace(0.02, 0.2, 40)))


def speech_like(seconds: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n = int(16_000 * seconds)
    envelope = np.abs(np.sin(np.arange(n) / 3000)) + 0.01
    return (0.1 * envelope * np.cumsum(rng.standard_normal(n)) / np.sqrt(n)).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.03, 1.0, 4.99, 5.01, 19.0])
def test_features_equal_the_runtime_s(seconds: float) -> None:
    """Before, across and long after the point from which the running mean forgets."""
    waves = np.stack([speech_like(seconds, seed) for seed in (1, 2)])
    found = BatchFeatures(MFCC, CMVN)(torch.from_numpy(waves)).numpy()
    for row, wave in zip(found, waves, strict=True):
        expected = cmvn(mfcc(wave, MFCC), CMVN)
        assert row.shape == expected.shape
        np.testing.assert_allclose(row, expected, atol=0.01)


def test_nothing_is_left_after_the_end() -> None:
    found = padded(torch.ones(2, 5, 3), torch.tensor([2, 5]), 6)
    assert found.sum(dim=2).tolist() == [[3, 3, 0, 0, 0, 0], [3, 3, 3, 3, 3, 0]]
    assert padded(torch.ones(1, 9, 3), torch.tensor([9]), 6).shape == (1, 6, 3)
