"""Settings of the GMM-HMM systems: the ``[gmm]`` table of a recipe."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class MonophoneConfig:
    """Phones without their neighbours."""

    passes: int = 20
    """Alignments of the whole corpus, each followed by an update."""
    grow_until: int = 15
    """The last pass after which Gaussians are added; the rest settle what is there."""
    gaussians: int = 1000
    """Of all states together."""

    def __post_init__(self) -> None:
        _check_passes(self.passes, self.grow_until, self.gaussians)


@dataclass(frozen=True, kw_only=True)
class TriphoneConfig:
    """Phones between their neighbours, their states tied by a tree."""

    passes: int = 20
    """Alignments of the whole corpus; 0 stops at the monophones."""
    grow_until: int = 15
    """The last pass after which Gaussians are added."""
    gaussians: int = 10_000
    """Of all states together."""
    leaves: int = 2000
    """Tied states at the most."""
    min_frames: int = 100
    """Frames that each leaf must have seen."""
    min_gain: float = 100.0
    """Log-likelihood that a question must add over the training speech."""

    def __post_init__(self) -> None:
        _check_passes(self.passes, self.grow_until, self.gaussians)
        if self.leaves < 1 or self.min_frames < 1 or self.min_gain < 0:
            raise ValueError("leaves and min_frames must be positive, min_gain not negative")


@dataclass(frozen=True, kw_only=True)
class GmmConfig:
    """Both systems, and how they are measured."""

    cepstra: int = 13
    """Coefficients of the front-end that are used, C0 first; deltas and double deltas follow."""
    silence_states: int = 3
    """States of silence."""
    variance_floor: float = 0.01
    """Of the variance over all speech (S. Young et al., "The HTK Book", 2006, section 8.3)."""
    monophone: MonophoneConfig = dataclasses.field(default_factory=MonophoneConfig)
    """The first system."""
    triphone: TriphoneConfig = dataclasses.field(default_factory=TriphoneConfig)
    """The second one, which starts from the alignment of the first."""
    lm_scale: float = 9.0
    """Factor on the phone bigram's log-probabilities when phone errors are counted; frames are not
    independent, so that the Gaussians are too sure of themselves. At 9 as many phones are heard as there
    are, with triphones of ten minutes of speech on four LibriSpeech dev utterances; at 6 5 % more."""
    dev_seconds: float = 600.0
    """Of each dev set this much is recognised, evenly spread."""

    def __post_init__(self) -> None:
        if not 3 <= self.silence_states <= 5:
            raise ValueError(f"silence_states must be in 3..5, got {self.silence_states}")
        if self.cepstra < 1 or not 0 < self.variance_floor < 1:
            raise ValueError("cepstra must be positive, variance_floor between 0 and 1")
        if self.lm_scale < 0 or self.dev_seconds <= 0:
            raise ValueError("lm_scale must not be negative, dev_seconds must be positive")

    def of_training(self) -> dict[str, Any]:
        """All that makes a model what it is, as plain values: how it is measured does not."""
        measured = ("lm_scale", "dev_seconds")
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in measured}


def _check_passes(passes: int, grow_until: int, gaussians: int) -> None:
    if passes < 0 or grow_until < 0 or gaussians < 1:
        raise ValueError("passes and grow_until must not be negative, gaussians must be positive")
