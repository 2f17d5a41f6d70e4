"""Features to log-probabilities: one inference engine, driven chunk by chunk."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from edge_asr.acoustic.state import State
from edge_asr.arrays import Float32Array
from edge_asr.bundle import Bundle
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError, MissingExtraError, UsageError


@dataclass(frozen=True, kw_only=True)
class EngineEntry:
    """What is known of an engine before it is imported."""

    path: str
    """``module:class``, imported on use. The class takes (file, config, *, bins, threads)."""
    packages: tuple[str, ...] = ()
    """Modules of which one must be installed; none where it needs no more than the runtime does."""
    field: str = "graph"
    """Which field of ``AcousticConfig`` names the file that it reads."""
    variants: bool = False
    """Whether ``NAME:VARIANT`` may be asked for; the class then takes ``variant`` as well."""
    to_get: str = ""
    """How a bundle that lacks the file gets it."""


ENGINES = {
    "onnx": EngineEntry(path="edge_asr.acoustic.onnx:OnnxEngine", packages=("onnxruntime",), variants=True),
    "litert": EngineEntry(
        path="edge_asr.acoustic.litert:LitertEngine",
        packages=("ai_edge_litert", "tflite_runtime"),
        field="tflite",
        to_get="make one with python -m export convert --to tflite, add it with python -m export add-tflite",
    ),
    "numpy": EngineEntry(path="edge_asr.acoustic.numpy:NumpyEngine"),
}
"""By name, the first choice first. The name is also that of the extra that installs its package."""


class Engine(Protocol):
    """A loaded acoustic model: immutable, so that threads and streams share it."""

    @property
    def bins(self) -> int:
        """Values in one feature frame."""

    def initial_state(self) -> State:
        """Where every stream starts."""

    def step(self, features: Float32Array, state: State) -> tuple[Float32Array, State]:
        """Answer for one chunk; a pure function.

        Parameters
        ----------
        features: (chunk_frames, bins), normalised.
        state: what the previous step returned, or ``initial_state()``.

        Returns
        -------
        log_probs: (chunk_frames // subsampling, outputs), natural log.
        state: for the next step.
        """


def installed_engines() -> tuple[str, ...]:
    """Names of the engines that have what they need on this machine, the first choice first."""
    return tuple(
        name
        for name, entry in ENGINES.items()
        if not entry.packages or any(importlib.util.find_spec(package) for package in entry.packages)
    )


def choose_engine(config: AcousticConfig, installed: Collection[str]) -> str:
    """The first of ``ENGINES`` that is installed and whose file the bundle brings.

    Raises
    ------
    BundleError: there is none.
    """
    for name, entry in ENGINES.items():
        if name in installed and _file(config, entry):
            return name
    raise BundleError(
        f"the bundle brings no file for an engine that is installed ({', '.join(installed)}): "
        "fetch another bundle, or install another engine"
    )


def create_engine(name: str, bundle: Bundle, threads: int = 1) -> Engine:
    """Load the bundle's acoustic model with the engine ``name``.

    Parameters
    ----------
    name: a key of ``ENGINES``; ``onnx:PROVIDER`` runs elsewhere than on the processor (``onnx:cuda``).

    Raises
    ------
    UsageError: no such engine, or no such provider.
    MissingExtraError: the engine's package is not installed.
    BundleError: the bundle brings no file for it, or one that cannot be read or does not fit model.json.
    """
    kind, colon, variant = name.partition(":")
    if kind not in ENGINES:
        raise UsageError(f"no engine {kind!r}; there are {', '.join(ENGINES)}")
    entry = ENGINES[kind]
    if colon and not (variant and entry.variants):
        raise UsageError(f"expected an engine, or one with its provider (onnx:cuda), got {name!r}")
    if kind not in installed_engines():
        raise MissingExtraError(entry.packages[0], kind, f"The engine {kind!r}")
    config = bundle.config.acoustic
    file = _file(config, entry)
    if file is None:
        others = " or ".join(other for other in ENGINES if _file(config, ENGINES[other]))
        raise BundleError(
            f"{bundle.directory}: the engine {kind!r} reads the file that acoustic.{entry.field} of "
            f"model.json names, and it names none: {entry.to_get or 'choose another bundle'}, or choose the "
            f"engine {others}"
        )
    module, _, class_name = entry.path.partition(":")
    options: dict[str, Any] = {"variant": variant} if variant else {}
    engine: Engine = getattr(importlib.import_module(module), class_name)(
        bundle.path(file), config, bins=len(bundle.config.cmvn.mean), threads=threads, **options
    )
    return engine


def _file(config: AcousticConfig, entry: EngineEntry) -> str | None:
    """Name of the file that the engine reads, None where the bundle brings none."""
    return getattr(config, entry.field, None) or None
