"""The runtime's features for whole batches, on any device: MFCC and running normalisation in float32."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_asr.config import CmvnConfig, MfccConfig
from edge_asr.features.mfcc import tables


class BatchFeatures(nn.Module):
    """(batch, samples) in [-1, 1] -> (batch, frames, cepstra), normalised.

    The same numbers as ``edge_asr.features`` within 0.01: sums are of float32 here, the spectrum's too.
    """

    def __init__(self, mfcc: MfccConfig, cmvn: CmvnConfig) -> None:
        super().__init__()
        window, filters, dct, self._fft_size = tables(mfcc)
        self._mfcc, self._cmvn = mfcc, cmvn
        for name, table in {"window": window, "filters": filters, "dct": dct}.items():
            self.register_buffer(name, torch.from_numpy(np.array(table)))
        self.register_buffer("mean", torch.tensor(cmvn.mean))
        self.register_buffer("scale", torch.tensor(cmvn.scale))
        self.window: Tensor
        self.filters: Tensor
        self.dct: Tensor
        self.mean: Tensor
        self.scale: Tensor

    def frames(self, samples: int) -> int:
        """How many frames so many samples make."""
        return max(0, (samples - self._mfcc.frame_length_samples) // self._mfcc.frame_shift_samples + 1)

    def forward(self, waves: Tensor) -> Tensor:
        """(batch, samples) -> (batch, frames, cepstra)."""
        return self.normalise(self.cepstra(waves))

    def cepstra(self, waves: Tensor) -> Tensor:
        """As ``edge_asr.features.mfcc``: (batch, samples) -> (batch, frames, cepstra)."""
        c = self._mfcc
        frames = waves.unfold(1, c.frame_length_samples, c.frame_shift_samples)
        centred = frames - frames.mean(dim=2, keepdim=True)
        before = torch.cat([centred[:, :, :1], centred[:, :, :-1]], dim=2)
        spectrum = torch.fft.rfft((centred - c.preemphasis * before) * self.window, self._fft_size)
        power = spectrum.real.square() + spectrum.imag.square()
        energies = (power @ self.filters).clamp(min=float(np.finfo(np.float32).eps))
        coefficients: Tensor = energies.log() @ self.dct
        return coefficients

    def normalise(self, features: Tensor) -> Tensor:
        """As ``edge_asr.features.cmvn``: the running mean in closed form.

        Up to ``window_frames`` of evidence it is a cumulative mean, from there on an exponential one:
        mean[t] = a mean[t - 1] + (1 - a) x[t], whose terms grow by 1 / a a frame when a^t is taken out: a
        window at a time float64 holds them.
        """
        c = self._cmvn
        centred = (features - self.mean).double()  # the prior's mean is zero now
        young = c.window_frames - c.prior_frames
        early = centred[:, :young]
        evidence = c.prior_frames + torch.arange(1, early.shape[1] + 1, device=features.device)
        means = [early.cumsum(dim=1) / evidence[:, None]]
        keep = 1 - 1 / c.window_frames
        for start in range(young, centred.shape[1], c.window_frames):
            later = centred[:, start : start + c.window_frames]
            decay = keep ** torch.arange(1, later.shape[1] + 1, device=features.device, dtype=torch.float64)
            summed = (later / decay[:, None]).cumsum(dim=1) * (1 - keep)
            means.append((means[-1][:, -1:] + summed) * decay[:, None])
        return ((centred - torch.cat(means, dim=1)) * self.scale).float()


def padded(features: Tensor, lengths: Tensor, frames: int) -> Tensor:
    """Zeros from each utterance's end on: (batch, any, cepstra), (batch,) -> (batch, frames, cepstra)."""
    x = functional.pad(features, (0, 0, 0, max(0, frames - features.shape[1])))[:, :frames]
    return x * (torch.arange(frames, device=x.device) < lengths[:, None])[:, :, None]
