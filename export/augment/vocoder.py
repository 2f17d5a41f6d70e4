"""Another voice for the same words: the vocal tract is kept or scaled, the voice is made anew.

Speech is filtered excitation. The filter of each moment is its spectral envelope; the excitation is replaced
by pulses of another pitch, monotonous or gliding, mixed with breath up to a whisper. What the words need is
in the envelope, so a network that hears many such voices cannot lean on those of its few speakers:
synthesizers of other kinds, children and hoarse voices differ from them in just this.

Source: the envelope is A. Röbel and X. Rodet, "Efficient spectral envelope estimation and its application to
pitch shifting and envelope preservation", DAFx 2005; voicing is the peak of the normalised autocorrelation
(P. Boersma, "Accurate short-term analysis of the fundamental frequency", 1993).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from edge_asr.arrays import Float32Array
from export.augment.step import Range, check_probability, check_range
from export.augment.surroundings import Surroundings

_SIZE, _HOP = 512, 128
"""Samples of a frame and from one to the next: 32 and 8 ms at 16 kHz."""
_LIFTER = 28
"""Cepstral coefficients of the envelope: 1.75 ms, short of the period of a child's voice."""
_ROUNDS = 4
"""Rounds that raise the envelope to the peaks of the spectrum."""
_FLOOR = 1e-5
_LAGS_S = (1 / 400, 1 / 70)
"""Periods of voices."""
_VOICED, _SLOPE = 0.45, 0.08
"""Autocorrelation at which a frame is half voiced, and how fast that changes."""
_BREATHY_HZ = 4000.0
"""Above it half of any voice is breath."""
_SLOW_HZ, _FAST_HZ = (0.2, 0.8), (1.5, 4.0)
"""How often a gliding pitch rises and falls: over phrases, and over syllables."""


class Voices(NamedTuple):
    """Of each utterance of a batch, (batch,) each."""

    pitch_hz: Tensor
    """Mean pitch."""
    glide: Tensor
    """Octaves that it moves up and down."""
    breath: Tensor
    """Share of the voice's power that is noise: one is a whisper."""
    formants: Tensor
    """By how much the resonances lie higher."""


@dataclass(frozen=True, kw_only=True)
class Vocoder:
    """Another voice."""

    probability: float = 0.2
    """Share of utterances that it happens to."""
    pitch_hz: Range = (70.0, 280.0)
    """Mean pitch; any of the range is as likely as an octave above or below."""
    glide: Range = (0.0, 0.35)
    """Octaves that the pitch moves up and down; every third voice is monotonous."""
    breath: Range = (0.0, 0.4)
    """Share of the voice's power that is noise; every tenth voice whispers."""
    formants: Range = (0.85, 1.2)
    """By how much the resonances lie higher."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("pitch_hz", self.pitch_hz, 40.0, 500.0)
        check_range("glide", self.glide, 0.0, 1.0)
        check_range("breath", self.breath, 0.0, 1.0)
        check_range("formants", self.formants, 0.5, 2.0)

    def draw(self, rng: np.random.Generator) -> tuple[float, float, float, float]:
        """Pitch in Hz, glide in octaves, share of breath, and scale of the resonances of a voice."""
        low, high = self.pitch_hz
        pitch_hz = low * (high / low) ** rng.random()
        glide = rng.uniform(*self.glide) if rng.random() < 2 / 3 else 0.0
        breath = rng.uniform(*self.breath) if rng.random() < 0.9 else 1.0
        return pitch_hz, glide, breath, rng.uniform(*self.formants)

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (n,)."""
        pitch_hz, glide, breath, formants = self.draw(rng)
        voices = Voices(*torch.tensor([[pitch_hz], [glide], [breath], [formants]], dtype=torch.float32))
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        wave = torch.from_numpy(samples)[None]
        heard = revoiced(wave, voices, around.sample_rate_hz, generator)[0].numpy()
        return heard, f"voice {pitch_hz:.0f} Hz, formants {formants:.2f}, breath {breath:.1f}"


def revoiced(waves: Tensor, voices: Voices, rate_hz: int, generator: torch.Generator) -> Tensor:
    """Give each of (batch, n) waves another voice: (batch, n), never beyond full scale."""
    window = torch.hann_window(_SIZE, device=waves.device)
    spectrum = _transformed(waves, window)
    tract = _scaled(_envelope(spectrum.abs()), voices.formants)
    voiced = _voicing(spectrum, window, rate_hz)[:, None, :] * (1 - voices.breath)[:, None, None]
    hz = torch.linspace(0, rate_hz / 2, _SIZE // 2 + 1, device=waves.device)[None, :, None]
    voiced = torch.where(hz > _BREATHY_HZ, voiced / 2, voiced)
    pulses = _pulses(voices.pitch_hz, voices.glide, waves.shape[1], rate_hz, generator)
    noise = torch.randn(waves.shape, device=waves.device, generator=generator)
    excitation = voiced.sqrt() * _transformed(pulses, window)
    excitation = excitation + (1 - voiced).sqrt() * _transformed(noise, window)
    # Both have a power of one; a window passes the sum of its squares.
    excitation = excitation / window.square().sum().sqrt()
    heard: Tensor = torch.istft(tract * excitation, _SIZE, _HOP, window=window, length=waves.shape[1])
    return heard / heard.abs().amax(dim=1, keepdim=True).clamp(min=1.0)


def _transformed(waves: Tensor, window: Tensor) -> Tensor:
    spectrum: Tensor = torch.stft(waves, _SIZE, _HOP, window=window, pad_mode="constant", return_complex=True)
    return spectrum


def _envelope(magnitudes: Tensor) -> Tensor:
    """(batch, bins, frames) -> the smooth curve over the peaks of each spectrum, same shape."""
    peaks = magnitudes.clamp(min=_FLOOR).log()
    fade = torch.ones(_SIZE // 2 + 1, device=peaks.device)
    fade[_LIFTER // 2 : _LIFTER] = 0.5 + 0.5 * torch.cos(
        math.pi * torch.arange(1, _LIFTER - _LIFTER // 2 + 1, device=peaks.device) / (_LIFTER // 2 + 1)
    )
    fade[_LIFTER:] = 0.0
    lifter = torch.cat([fade, fade[1:-1].flip(0)])[:, None]
    curve = peaks
    for _ in range(_ROUNDS):
        cepstrum = torch.fft.irfft(torch.maximum(peaks, curve), _SIZE, dim=1)
        curve = torch.fft.rfft(cepstrum * lifter, _SIZE, dim=1).real
    return curve.exp()


def _scaled(tract: Tensor, formants: Tensor) -> Tensor:
    """(batch, bins, frames) with what was at a frequency at ``formants`` (batch,) times that."""
    bins = tract.shape[1]
    places = torch.arange(bins, device=tract.device) / formants[:, None]
    places = places.clamp(max=bins - 1)
    low = places.floor().long().clamp(max=bins - 2)
    share = (places - low)[:, :, None]
    below = tract.gather(1, low[:, :, None].expand_as(tract))
    above = tract.gather(1, (low + 1)[:, :, None].expand_as(tract))
    return torch.lerp(below, above, share)


def _voicing(spectrum: Tensor, window: Tensor, rate_hz: int) -> Tensor:
    """(batch, frames) in [0, 1]."""
    lags = torch.fft.irfft(spectrum.abs().square(), _SIZE, dim=1)
    own = torch.fft.irfft(torch.fft.rfft(window, _SIZE).abs().square(), _SIZE)
    low, high = (round(rate_hz * s) for s in _LAGS_S)
    shape = (own[0] / own[low:high])[:, None]
    peak = (lags[:, low:high] * shape).amax(dim=1) / lags[:, 0].clamp(min=_FLOOR**2)
    return torch.sigmoid((peak - _VOICED) / _SLOPE)


def _pulses(
    pitch_hz: Tensor, glide: Tensor, samples: int, rate_hz: int, generator: torch.Generator
) -> Tensor:
    """(batch, samples) of power one: a pulse each period of a pitch that moves by ``glide`` octaves."""
    count, device = len(pitch_hz), pitch_hz.device
    drawn = torch.rand(4, count, 1, device=device, generator=generator)
    time_s = torch.arange(samples, device=device) / rate_hz
    slow, fast = (a + (b - a) * r for (a, b), r in zip((_SLOW_HZ, _FAST_HZ), drawn[:2], strict=True))
    moves = 0.7 * torch.sin(2 * math.pi * (slow * time_s + drawn[2]))
    moves = moves + 0.3 * torch.sin(2 * math.pi * (fast * time_s + drawn[3]))
    hz = pitch_hz[:, None] * 2 ** (glide[:, None] * moves)
    periods = (hz / rate_hz).cumsum(dim=1).floor()
    begins = functional.pad(periods.diff(dim=1), (1, 0)) > 0
    return begins * (rate_hz / hz).sqrt()
