"""How sure a result must be, by name: a bundle's presets of rejection."""

from __future__ import annotations

from edge_asr.config import BundleConfig
from edge_asr.errors import UsageError

DEFAULT_REJECTION = "balanced"
"""Preset that decides what is accepted where none is named."""
OFF = "off"
"""Preset that accepts whatever was heard."""


def presets(config: BundleConfig) -> tuple[str, ...]:
    """Names that a stream takes for ``rejection``."""
    return (*config.decoder.rejection, OFF)


def least_confidence(config: BundleConfig, preset: str, *, free_text: bool) -> float:
    """Of what is accepted, between 0 and 1; ``reject_below`` for free text.

    Raises
    ------
    UsageError: the bundle has no such preset; one without any takes the default's name.
    """
    decoder = config.decoder
    if preset == OFF:
        return 0.0
    if preset not in decoder.rejection and (decoder.rejection or preset != DEFAULT_REJECTION):
        raise UsageError(
            f"no rejection preset {preset!r} in {config.name}: choose one of {', '.join(presets(config))}"
        )
    return decoder.reject_below if free_text else decoder.rejection.get(preset, decoder.reject_below)
