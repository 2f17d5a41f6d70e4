"""Inference with onnxruntime."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_asr.acoustic.state import State
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError, MissingExtraError, UsageError

if TYPE_CHECKING:
    import onnxruntime

_ERRORS_ONLY = 3


class OnnxEngine:
    """One ONNX ``step`` graph in memory. ``step`` may run in several threads at once.

    Parameters
    ----------
    graph: the ONNX file.
    config: what the graph must look like.
    bins: values in one feature frame.
    threads: that one step may use; below a few million weights more than one only costs.

    Raises
    ------
    MissingExtraError: onnxruntime is not installed.
    BundleError: the graph cannot be read, or its inputs and outputs do not fit ``config``.
    """

    def __init__(self, graph: Path, config: AcousticConfig, *, bins: int, threads: int = 1) -> None:
        if threads < 1:
            raise UsageError(f"threads must be at least 1, got {threads}")
        self._config = config
        self._bins = bins
        self._session = open_session(graph, threads)
        answer_frames = config.chunk_frames // config.subsampling
        inputs: dict[str, tuple[int, ...]] = {"features": (config.chunk_frames, bins)}
        outputs: dict[str, tuple[int, ...]] = {"log_probs": (answer_frames, config.outputs)}
        for state in config.states:
            inputs[f"{state.name}_in"] = state.shape
            outputs[f"{state.name}_out"] = state.shape
        _check(graph, "input", inputs, self._session.get_inputs())
        _check(graph, "output", outputs, self._session.get_outputs())
        self._output_names = list(outputs)

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


def open_session(graph: Path, threads: int) -> onnxruntime.InferenceSession:
    """Load a graph for a small machine: no thread pool that spins between two steps.

    Raises
    ------
    MissingExtraError: onnxruntime is not installed.
    BundleError: the graph cannot be read.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx", "The engine 'onnx'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no other base
        reason = str(error).splitlines()[0]
        raise BundleError(f"{graph}: onnxruntime cannot load this graph: {reason}") from error


def _check(graph: Path, what: str, expected: dict[str, tuple[int, ...]], got: Iterable[Any]) -> None:
    """Compare names and shapes of a graph's inputs or outputs with the configuration."""
    shapes = {node.name: (node.type, tuple(node.shape)) for node in got}
    for name, shape in expected.items():
        if name not in shapes:
            raise BundleError(f"{graph}: {what} {name!r} is missing; the graph has {', '.join(shapes)}")
        if shapes[name] != ("tensor(float)", shape):
            kind, wrong = shapes[name]
            raise BundleError(
                f"{graph}: {what} {name!r} should be tensor(float) of shape {shape}, is {kind} of {wrong}"
            )
    surplus = sorted(set(shapes) - set(expected))
    if surplus:
        raise BundleError(f"{graph}: {what} {surplus[0]!r} is not in model.json")
