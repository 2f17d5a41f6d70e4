"""Other voices and masks on the features: what the network hears warped, or must do without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_asr.features.mel import mel_centres
from edge_asr.features.mfcc import dct_matrix

if TYPE_CHECKING:
    import torch
    from torch import Generator, Tensor

    from edge_asr.arrays import Float32Array, Float64Array
    from edge_asr.config import MfccConfig
    from export.checkpoint import FrontEnd

_WARPS = 41
"""Factors that are drawn from, evenly spaced."""
_BEND_HZ = 4800.0
"""Up to here frequencies are multiplied: the formants lie below."""


@dataclass(frozen=True, kw_only=True)
class SpecAugmentConfig:
    """Warps and masks of the spectrogram."""

    warp: float = 0.0
    """Largest share by which a speaker's frequencies are stretched or shrunk, as by a shorter or longer
    vocal tract; 0 leaves them alone."""
    band_masks: int = 2
    """Bands of mel filters hidden per utterance."""
    band_width: int = 8
    """Widest band, in filters."""
    time_masks_per_second: float = 0.7
    """Stretches of time hidden per second of speech."""
    time_width: int = 20
    """Longest stretch, in frames."""

    def __post_init__(self) -> None:
        if not 0 <= self.warp < 0.5:
            raise ValueError(f"warp must lie in [0, 0.5), got {self.warp}")


class SpecAugment:
    """Warps the frequencies of each utterance and hides bands and stretches of time from the network.

    Cepstra are taken back to mel energies for both, so that they act on frequencies and not on cepstra.
    What is hidden reads as the running mean, which normalisation made zero.

    Sources: D. Park et al., "SpecAugment", Interspeech 2019; N. Jaitly and G. Hinton, "Vocal tract length
    perturbation (VTLP) improves speech recognition", ICML workshop 2013.
    """

    def __init__(self, config: SpecAugmentConfig, front_end: FrontEnd) -> None:
        import torch

        self._config = config
        self._bins = front_end.mfcc.mel_bins
        dct = dct_matrix(front_end.mfcc).astype(np.float64)  # (mels, ceps)
        scale = np.asarray(front_end.cmvn.scale)
        self._to_mel = torch.tensor(np.linalg.pinv(dct) / scale[:, None], dtype=torch.float32)
        self._to_cepstra = torch.tensor(dct * scale, dtype=torch.float32)
        self._warps = None
        if config.warp:
            factors = np.linspace(1 - config.warp, 1 + config.warp, _WARPS)
            self._warps = self._to_mel @ torch.from_numpy(warp_matrices(factors, front_end.mfcc))

    def to(self, device: torch.device) -> SpecAugment:
        """Move the matrices to where the features will lie."""
        self._to_mel, self._to_cepstra = self._to_mel.to(device), self._to_cepstra.to(device)
        self._warps = None if self._warps is None else self._warps.to(device)
        return self

    def __call__(self, features: Tensor, lengths: Tensor, generator: Generator) -> Tensor:
        """(batch, frames, ceps) and the number of real frames of each -> masked features.

        The generator is one of the features' device; nothing there is waited for.
        """
        import torch

        from export.transfer import sent

        batch, frames, _ = features.shape
        c, device = self._config, features.device
        lengths = sent(lengths, device)[:, None]

        def draw(high: Tensor | int) -> Tensor:
            return (torch.rand((batch, 1), generator=generator, device=device) * high).long()

        keep = torch.ones(batch, self._bins, device=device)
        bins = torch.arange(self._bins, device=device)
        for _ in range(c.band_masks):
            width = draw(c.band_width + 1)
            start = draw(self._bins - width)
            keep.masked_fill_((bins >= start) & (bins < start + width), 0.0)
        to_mel = self._to_mel if self._warps is None else self._warps[draw(_WARPS)[:, 0]]
        masked = torch.matmul(features, (to_mel * keep[:, None]) @ self._to_cepstra)
        times = torch.arange(frames, device=device)
        most = int(c.time_masks_per_second * frames / 100) + 1
        for i in range(most):
            # Short utterances get fewer masks: mask i exists only from i / rate seconds on.
            exists = lengths >= i * 100 / max(c.time_masks_per_second, 1e-9)
            width = draw(c.time_width + 1) * exists
            start = draw((lengths - width).clamp(min=1))
            masked.masked_fill_(((times >= start) & (times < start + width))[:, :, None], 0.0)
        return masked


def warp_matrices(factors: Float64Array, config: MfccConfig) -> Float32Array:
    """Frequencies of other vocal tracts: what each mel filter hears in the place of its own.

    Filter j gets the energies around ``factor`` times its frequency, between two filters the weighted mean.
    From 4.8 kHz on (or where that lands) a straight line leads to half the sample rate, as in Jaitly and
    Hinton's formula.

    Parameters
    ----------
    factors: (n,) of frequencies.

    Returns
    -------
    (n, mels, mels) matrices W for rows of energies: x @ W.
    """
    centres = mel_centres(bins=config.mel_bins, low_hz=config.low_hz, high_hz=config.high_hz)
    top = config.sample_rate_hz / 2
    bend = min(_BEND_HZ, 0.6 * top) * np.minimum(factors, 1.0)[:, None]
    slope = (top - bend) / (top - bend / factors[:, None])
    linear = centres * factors[:, None]
    warped = np.where(linear <= bend, linear, top - slope * (top - centres))
    place = np.interp(warped, centres, np.arange(config.mel_bins))  # (n, mels), in filters
    below = np.minimum(place.astype(np.int64), config.mel_bins - 2)
    share = place - below
    rows, columns = np.arange(len(factors))[:, None], np.arange(config.mel_bins)
    matrices = np.zeros((len(factors), config.mel_bins, config.mel_bins), dtype=np.float32)
    matrices[rows, below, columns] = 1 - share
    matrices[rows, below + 1, columns] = share
    return matrices
