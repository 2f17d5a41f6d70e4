"""What happens to sound between the mouth and the recognizer, for whole batches at once.

The distortions of export/augment in tensors: waves are (batch, samples), and every utterance brings its own
numbers. Filters have the magnitude of their analogue models and no phase.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

_GRID = 8000
"""Transforms are of multiples of this many samples: few sizes, so that their plans are kept."""
_FRAME = 320
"""20 ms at 16 kHz, of which speech levels are measured."""
_MARGIN = 10 ** (-15.9 / 10)
_SILENCE = 1e-12
_MU = 255.0


def gathered(samples: Tensor, starts: Tensor, lengths: Tensor, width: int) -> Tensor:
    """Pieces of one long array (n,) of whole numbers: (batch,), (batch,) -> (batch, width) in [-1, 1].

    Zeros follow the end of each.
    """
    steps = torch.arange(width, device=samples.device)
    places = (starts[:, None] + steps).clamp(max=samples.numel() - 1)
    pieces = samples[places].float() / 32768.0
    return pieces * (steps < lengths[:, None])


def at_speed(waves: Tensor, speed: float) -> Tensor:
    """Play all ``speed`` times as fast, pitch included: (batch, n) -> (batch, about n / speed).

    The spectrum is cut or filled with zeros at its top, which is exact resampling of a periodic signal.
    """
    if speed == 1.0:
        return waves
    size = _size(waves.shape[1])
    faster = 2 * round(size / speed / 2)
    spectrum = torch.fft.rfft(waves, size)
    bins = faster // 2 + 1
    spectrum = functional.pad(spectrum, (0, max(0, bins - spectrum.shape[1])))[:, :bins]
    played: Tensor = torch.fft.irfft(spectrum, faster) * (faster / size)
    return played


def reverberated(waves: Tensor, responses: Tensor) -> Tensor:
    """Convolve each with its impulse response: (batch, n), (batch, taps) -> (batch, n), never clipping."""
    size = _size(waves.shape[1] + responses.shape[1])
    whole: Tensor = torch.fft.irfft(torch.fft.rfft(waves, size) * torch.fft.rfft(responses, size), size)
    wet = whole[:, : waves.shape[1]]
    return wet / wet.abs().amax(dim=1, keepdim=True).clamp(min=1.0)


def active_power(waves: Tensor) -> Tensor:
    """Mean power of the active frames, (batch, n) -> (batch,): as export/augment/loudness.py."""
    whole = functional.pad(waves, (0, -waves.shape[1] % _FRAME))
    powers = whole.view(len(waves), -1, _FRAME).square().mean(dim=2)
    power = powers.mean(dim=1)
    for _ in range(10):
        active = powers > (power * _MARGIN).clamp(min=_SILENCE)[:, None]
        power = (powers * active).sum(dim=1) / active.sum(dim=1).clamp(min=1)
    return power


def mixed(speech: Tensor, noise: Tensor, snr_db: Tensor) -> Tensor:
    """Add noise at a level below the active speech; nan means none at all.

    (batch, n), (batch, n), (batch,) -> (batch, n), never clipping. What is silent gets no noise, and silent
    noise changes nothing.
    """
    speech_power, noise_power = active_power(speech), active_power(noise)
    wanted = (speech_power > 0) & (noise_power > 0) & ~snr_db.isnan()
    gain = (speech_power / noise_power.clamp(min=_SILENCE)).sqrt() * 10 ** (-snr_db / 20)
    both = speech + torch.where(wanted, gain, 0.0)[:, None] * noise
    return both / both.abs().amax(dim=1, keepdim=True).clamp(min=1.0)


def band_limited(waves: Tensor, low_hz: Tensor, high_hz: Tensor, order: Tensor, rate_hz: int) -> Tensor:
    """Butterworth's magnitude, 1 / sqrt(1 + (f / f0)^2k), at both ends: (batch, n), three times (batch,)."""
    size = _size(waves.shape[1])
    hz = torch.fft.rfftfreq(size, 1 / rate_hz, device=waves.device)
    steep = 2 * order[:, None]
    high = 1 + (hz / high_hz[:, None]) ** steep
    low = 1 + (low_hz[:, None] / hz.clamp(min=1e-3)) ** steep
    heard: Tensor = torch.fft.irfft(torch.fft.rfft(waves, size) * (low * high).rsqrt(), size)
    return heard[:, : waves.shape[1]]


def levelled(waves: Tensor, gain_db: Tensor, overdrive_db: Tensor) -> Tensor:
    """Clip ``overdrive_db`` below the peak (0: nothing), amplify, and clip at full scale."""
    ceiling = waves.abs().amax(dim=1) * 10 ** (-overdrive_db / 20)
    clipped = torch.maximum(torch.minimum(waves, ceiling[:, None]), -ceiling[:, None])
    return (clipped * (10 ** (gain_db / 20))[:, None]).clamp(-1.0, 1.0)


def companded(waves: Tensor, chosen: Tensor) -> Tensor:
    """The 8 bits a sample of ITU-T G.711's mu-law for the chosen ones: (batch, n), (batch,) -> (batch, n)."""
    squeezed = waves.sign() * torch.log1p(_MU * waves.abs()) / math.log1p(_MU)
    rounded = (squeezed * 127).round() / 127
    heard = rounded.sign() * torch.expm1(rounded.abs() * math.log1p(_MU)) / _MU
    return torch.where(chosen[:, None], heard, waves)


def _size(samples: int) -> int:
    return -(-samples // _GRID) * _GRID
