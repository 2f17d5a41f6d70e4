"""What an engine offers, and how one is found."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol, runtime_checkable

from edge_asr.arrays import Float32Array
from edge_asr.errors import MissingExtraError, UsageError
from export.synthesize import ENGINES


class Engine(Protocol):
    """A program or model that speaks; made with the folder or file of its model, or None."""

    @property
    def voices(self) -> tuple[str, ...]:
        """Names of its English voices, sorted."""

    @property
    def blends(self) -> bool:
        """Whether ``one*0.3+other`` is a voice too: 0.3 parts of one, the rest the other's."""

    def speak(self, text: str, voice: str, speed: float) -> tuple[Float32Array, int]:
        """Say a text, ``speed`` times as fast as usual.

        Returns
        -------
        (n,) samples in [-1, 1], and their sample rate.

        Raises
        ------
        AudioError: this text cannot be said; the next one may.
        """


@runtime_checkable
class Accented(Protocol):
    """What an engine may have besides: voices of other languages."""

    @property
    def accents(self) -> tuple[str, ...]:
        """Names of voices that speak English with the accents of their languages, sorted: only when asked."""


def open_engine(name: str, model: Path | None) -> Engine:
    """The engine ``name`` of the registry, or any class given as ``module:Class``.

    Raises
    ------
    UsageError: no such engine, its program is not installed, or its model is missing.
    MissingExtraError: its Python package is not installed.
    """
    path = ENGINES.get(name, name)
    module, _, attribute = path.partition(":")
    if not attribute:
        raise UsageError(f"no engine {name!r}: choose one of {', '.join(ENGINES)}, or give module:Class")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        if name in ENGINES:
            raise
        raise UsageError(f"engine {name}: {error}") from error
    try:
        engine: Engine = found(model)
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or name, "synthesize", f"the engine {name}") from error
    return engine
