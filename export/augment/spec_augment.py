"""Masks on the features: bands and stretches of time that the network must do without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_asr.features.mfcc import dct_matrix

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from export.checkpoint import FrontEnd


@dataclass(frozen=True, kw_only=True)
class SpecAugmentConfig:
    """Masks on the spectrogram."""

    band_masks: int = 2
    """Bands of mel filters hidden per utterance."""
    band_width: int = 8
    """Widest band, in filters."""
    time_masks_per_second: float = 0.7
    """Stretches of time hidden per second of speech."""
    time_width: int = 20
    """Longest stretch, in frames."""


class SpecAugment:
    """Hides bands and stretches of time from the network.

    Cepstra are taken back to mel energies for the bands, so that a mask hides frequencies and not
    cepstra. What is hidden reads as the running mean, which normalisation made zero.

    Source: D. Park et al., "SpecAugment", Interspeech 2019.
    """

    def __init__(self, config: SpecAugmentConfig, front_end: FrontEnd) -> None:
        import torch

        self._config = config
        self._bins = front_end.mfcc.mel_bins
        dct = dct_matrix(front_end.mfcc).astype(np.float64)  # (mels, ceps)
        scale = np.asarray(front_end.cmvn.scale)
        self._to_mel = torch.tensor(np.linalg.pinv(dct) / scale[:, None], dtype=torch.float32)
        self._to_cepstra = torch.tensor(dct * scale, dtype=torch.float32)

    def __call__(self, features: Tensor, lengths: Tensor, generator: Generator) -> Tensor:
        """(batch, frames, ceps) and the number of real frames of each -> masked features."""
        import torch

        batch, frames, _ = features.shape
        c = self._config

        def draw(high: Tensor, shape: tuple[int, ...]) -> Tensor:
            return (torch.rand(shape, generator=generator) * high).long()

        keep = torch.ones(batch, self._bins)
        bins = torch.arange(self._bins)
        for _ in range(c.band_masks):
            width = draw(torch.tensor(c.band_width + 1), (batch, 1))
            start = draw((self._bins - width).float(), (batch, 1))
            keep[(bins >= start) & (bins < start + width)] = 0
        masked = ((features @ self._to_mel) * keep[:, None]) @ self._to_cepstra
        times = torch.arange(frames)
        most = int(c.time_masks_per_second * frames / 100) + 1
        for i in range(most):
            width = draw(torch.tensor(c.time_width + 1), (batch, 1))
            # Short utterances get fewer masks: mask i exists only from i / rate seconds on.
            width[lengths < i * 100 / max(c.time_masks_per_second, 1e-9)] = 0
            start = draw((lengths[:, None] - width).clamp(min=1).float(), (batch, 1))
            masked[(times >= start) & (times < start + width)] = 0
        return masked
