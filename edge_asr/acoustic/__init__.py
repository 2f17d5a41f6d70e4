"""Features to log-probabilities: one inference engine, driven chunk by chunk."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol

from edge_asr.acoustic.state import State
from edge_asr.arrays import Float32Array
from edge_asr.bundle import Bundle
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError, UsageError

ENGINES = {
    "onnx": "edge_asr.acoustic.onnx:OnnxEngine",
    "litert": "edge_asr.acoustic.litert:LitertEngine",
}
"""Name to ``module:class``, imported on use. A class takes (graph, config, *, bins, threads)."""


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


def create_engine(name: str, bundle: Bundle, threads: int = 1) -> Engine:
    """Load the bundle's acoustic model with the engine ``name``.

    Raises
    ------
    UsageError: no such engine.
    MissingExtraError: the engine's package is not installed.
    BundleError: the bundle has no graph for this engine, or it cannot be read or does not fit model.json.
    """
    if name not in ENGINES:
        raise UsageError(f"no engine {name!r}; there are {', '.join(ENGINES)}")
    module, _, class_name = ENGINES[name].partition(":")
    config: AcousticConfig = bundle.config.acoustic
    engine: Engine = getattr(importlib.import_module(module), class_name)(
        graph_of(name, bundle), config, bins=len(bundle.config.cmvn.mean), threads=threads
    )
    return engine


def graph_of(name: str, bundle: Bundle) -> Path:
    """The file that the engine ``name`` opens.

    Raises
    ------
    BundleError: the bundle has none for it.
    """
    acoustic = bundle.config.acoustic
    if name != "litert":
        return bundle.path(acoustic.graph)
    if acoustic.tflite is None:
        raise BundleError(
            f"{bundle.directory}: the bundle has no TFLite graph, which the engine 'litert' needs: make one "
            "with python -m export convert --to tflite, add it with python -m export add-tflite, or use "
            "another engine"
        )
    return bundle.path(acoustic.tflite)
