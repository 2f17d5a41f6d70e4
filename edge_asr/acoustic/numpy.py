"""Inference with NumPy alone, for boards that have no other engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_asr.acoustic.inference.onnx_file import Value
from edge_asr.acoustic.inference.program import Program
from edge_asr.acoustic.signature import Tensors, check_signature
from edge_asr.acoustic.state import State
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError, UsageError


class NumpyEngine:
    """One ONNX ``step`` graph, planned for NumPy. ``step`` may run in several threads at once.

    Parameters
    ----------
    graph: the ONNX file.
    config: what the graph must look like.
    bins: values in one feature frame.
    threads: for the sake of the other engines. Every product is small; what NumPy's BLAS does with it is set
        before Python starts (``OPENBLAS_NUM_THREADS=1``).

    Raises
    ------
    BundleError: the graph cannot be read, has an operator that is not known, or does not fit ``config``.
    """

    def __init__(self, graph: Path, config: AcousticConfig, *, bins: int, threads: int = 1) -> None:
        if threads < 1:
            raise UsageError(f"threads must be at least 1, got {threads}")
        self._config = config
        self._bins = bins
        self._program = Program.load(graph)
        check_signature(
            graph,
            config,
            bins=bins,
            inputs=_tensors(self._program.inputs),
            outputs=_tensors(self._program.outputs),
        )
        # What the file says of its outputs is a promise: here it is kept, or the file refused.
        log_probs, state = self.step(np.zeros((config.chunk_frames, bins), np.float32), self.initial_state())
        made = {"log_probs": log_probs} | {f"{name}_out": tensor for name, tensor in state.items()}
        for name, value in self._program.outputs.items():
            if made[name].shape != value.shape or made[name].dtype != np.float32:
                raise BundleError(
                    f"{graph}: output {name!r} should be tensor(float) of shape {value.shape}, turned out as "
                    f"{made[name].dtype} of {made[name].shape}"
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
        expected = (self._config.chunk_frames, self._bins)
        if features.shape != expected:
            raise ValueError(f"expected features of shape {expected}, got {features.shape}")
        feed = {"features": np.ascontiguousarray(features, dtype=np.float32)}
        feed.update((f"{name}_in", tensor) for name, tensor in state.items())
        made = self._program.run(feed)
        return made["log_probs"], State({s.name: made[f"{s.name}_out"] for s in self._config.states})


def _tensors(values: Mapping[str, Value]) -> Tensors:
    return {name: (value.kind, value.shape) for name, value in values.items()}
