"""Inference with onnxruntime, on the processor or on what else it has a provider for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_asr.acoustic.signature import Tensors, check_signature
from edge_asr.acoustic.state import State
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError, MissingExtraError, UsageError

if TYPE_CHECKING:
    import onnxruntime

_NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"
_ERRORS_ONLY = 3
_PROVIDER = "ExecutionProvider"


class OnnxEngine:
    """One ONNX ``step`` graph in memory. ``step`` may run in several threads at once.

    Parameters
    ----------
    graph: the ONNX file.
    config: what the graph must look like.
    bins: values in one feature frame.
    threads: that one step may use; below a few million weights more than one only costs.
    variant: where it runs, the name of an execution provider in short: ``cpu``, ``cuda``, ``tensorrt``. What
        that cannot run is left to the processor.

    Raises
    ------
    MissingExtraError: onnxruntime is not installed.
    UsageError: the installed onnxruntime has no such provider, or it does not start.
    BundleError: the graph cannot be read, or its inputs and outputs do not fit ``config``.
    """

    def __init__(
        self, graph: Path, config: AcousticConfig, *, bins: int, threads: int = 1, variant: str = "cpu"
    ) -> None:
        if threads < 1:
            raise UsageError(f"threads must be at least 1, got {threads}")
        self._config = config
        self._bins = bins
        self._session = open_session(graph, threads, variant)
        self._output_names = check_signature(
            graph,
            config,
            bins=bins,
            inputs=_tensors(self._session.get_inputs()),
            outputs=_tensors(self._session.get_outputs()),
        )

    @property
    def bins(self) -> int:
        """Values in one feature frame."""
        return self._bins

    def initial_state(self) -> State:
        """Zeros."""
        return State.zeros(self._config.states)

    def step(self, features: Float32Array, state: State) -> tuple[Float32Array, State]:
        """Answer for one chunk, see :class:`edge_asr.acoustic.Engine`."""
        feed = {"features": np.ascontiguousarray(features, dtype=np.float32)}
        feed.update((f"{name}_in", tensor) for name, tensor in state.items())
        log_probs, *states = self._session.run(self._output_names, feed)
        names = (config.name for config in self._config.states)
        return log_probs, State(dict(zip(names, states, strict=True)))


def open_session(graph: Path, threads: int, provider: str = "cpu") -> onnxruntime.InferenceSession:
    """Load a graph for a small machine: no thread pool that spins between two steps.

    Raises
    ------
    MissingExtraError: onnxruntime is not installed.
    UsageError: it has no such provider, or that does not start.
    BundleError: the graph cannot be read.
    """
    # Read when it is imported: otherwise it would count its uses and keep an id of the device at home.
    os.environ.setdefault(_NO_TELEMETRY, "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx", "The engine 'onnx'") from error
    providers = chain_of_providers(provider, onnxruntime.get_available_providers())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=providers)
    except Exception as error:  # onnxruntime's errors share no other base
        reason = str(error).splitlines()[0]
        raise BundleError(f"{graph}: onnxruntime cannot load this graph: {reason}") from error
    if session.get_providers()[0] != providers[0]:
        # It would go on with the processor, many times slower, and only say so in its log.
        raise UsageError(
            f"onnxruntime's provider {provider!r} did not start, probably for want of its libraries or of a "
            "device: see what onnxruntime wrote above, or choose onnx:cpu"
        )
    return session


def chain_of_providers(name: str, available: Sequence[str]) -> list[str]:
    """Providers in the order in which they are asked to run a node.

    Parameters
    ----------
    name: in short, in any case: ``cuda`` for ``CUDAExecutionProvider``.
    available: of the installed onnxruntime, the most special first.

    Returns
    -------
    the provider, for TensorRT also CUDA, which runs what it leaves, and the processor.

    Raises
    ------
    UsageError: there is none of that name.
    """
    short = {full.removesuffix(_PROVIDER).lower(): full for full in available}
    if name.lower() not in short:
        raise UsageError(
            f"onnxruntime has no provider {name!r} here, only {', '.join(sorted(short))}: install the "
            "onnxruntime that has it (onnxruntime-gpu for cuda and tensorrt; NVIDIA's own for Jetson)"
        )
    behind = ["cuda", "cpu"] if name.lower() == "tensorrt" else ["cpu"]
    return [short[n] for n in dict.fromkeys([name.lower(), *behind]) if n in short]


def _tensors(nodes: Iterable[Any]) -> Tensors:
    return {node.name: (node.type, tuple(node.shape)) for node in nodes}
