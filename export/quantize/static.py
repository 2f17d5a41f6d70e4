"""Fixed ranges for what int8 products are given, measured on recordings beforehand.

A graph that finds the range of each tensor as it runs looks at all its values once more; a fixed range
spares that, and answers for one chunk do not depend on what else is in it. The price: what lies outside is
cut off.

The graph is the dynamic one with each ``DynamicQuantizeLinear`` replaced by a ``QuantizeLinear`` of
constants, so that its products are the same ``MatMulInteger``. It is not built of QDQ pairs around float
products: onnxruntime fuses such a product with its bias to a Gemm before it looks for pairs, finds none, and
computes in float, three times as slow as the float graph, unless every session is opened with that fusion
disabled. An LSTM finds its ranges as it runs all the same: onnxruntime has no other int8 kernel for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import helper, numpy_helper

from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.acoustic.onnx import open_session
from edge_asr.acoustic.state import State
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig
from edge_asr.errors import EdgeAsrError

Ranges = Mapping[str, tuple[float, float]]
"""Tensor -> its smallest and largest value, zero among them."""


@dataclass
class _Watch:
    """The graph in float as an engine that takes note of the extremes of every step."""

    path: Path
    config: AcousticConfig
    bins: int
    tensors: list[str]

    def __post_init__(self) -> None:
        self._session = open_session(self.path, 1)
        self.extremes: list[list[tuple[float, float]]] = [[] for _ in self.tensors]

    def initial_state(self) -> State:
        """Zeros."""
        return State.zeros(self.config.states)

    def step(self, features: Float32Array, state: State) -> tuple[Float32Array, State]:
        """Answer for one chunk, see :class:`edge_asr.acoustic.Engine`."""
        feed = {"features": np.ascontiguousarray(features, dtype=np.float32)}
        feed |= {f"{name}_in": tensor for name, tensor in state.items()}
        outputs = ["log_probs", *(f"{s.name}_out" for s in self.config.states)]
        values = self._session.run([*outputs, *map(_watched, range(len(self.tensors)))], feed)
        for seen, value in zip(self.extremes, values[len(outputs) :], strict=True):
            seen.append((float(value.min()), float(value.max())))
        log_probs, *states = values[: len(outputs)]
        return log_probs, State(dict(zip(state, states, strict=True)))


def _watched(number: int) -> str:
    return f"watched_{number}"


def measure_ranges(
    graph: Path,
    config: AcousticConfig,
    recordings: Iterable[Float32Array],
    *,
    bins: int,
    clip: float = 0.0,
) -> Ranges:
    """Stream recordings through a float graph and see what its products are given.

    Parameters
    ----------
    recordings: normalised features, (frames, bins) each.
    clip: share of the steps whose smallest, and whose largest, values may lie outside.

    Raises
    ------
    EdgeAsrError: no recording is long enough for a step.
    """
    model = onnx.load(graph)
    stored = {tensor.name for tensor in model.graph.initializer}
    tensors = sorted(
        {n.input[0] for n in model.graph.node if n.op_type in ("MatMul", "Gemm") and n.input[1] in stored}
    )
    for number, tensor in enumerate(tensors):
        model.graph.node.append(helper.make_node("Identity", [tensor], [_watched(number)]))
        model.graph.output.append(
            helper.make_tensor_value_info(_watched(number), onnx.TensorProto.FLOAT, None)
        )
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "watched.onnx"
        onnx.save(model, path)
        watch = _Watch(path, config, bins, tensors)
        for features in recordings:
            stream = AcousticModel(watch, config)
            stream.push(features)
            stream.flush()
    if not all(watch.extremes):
        raise EdgeAsrError("no recording to measure ranges on")
    ranges = {}
    for tensor, seen in zip(tensors, watch.extremes, strict=True):
        low = float(np.quantile([low for low, _ in seen], clip))
        high = float(np.quantile([high for _, high in seen], 1 - clip))
        ranges[tensor] = (min(low, 0.0), max(high, 0.0))
    return ranges


def fix_ranges(model: onnx.ModelProto, ranges: Ranges) -> None:
    """Give each tensor that a dynamic int8 graph quantizes a fixed range, in place.

    Raises
    ------
    EdgeAsrError: the range of a tensor is not known.
    """
    for node in model.graph.node:
        if node.op_type != "DynamicQuantizeLinear":
            continue
        tensor = node.input[0]
        if tensor not in ranges:
            raise EdgeAsrError(f"{node.name}: no range was measured for {tensor!r}")
        low, high = ranges[tensor]
        scale = np.float32((high - low) / 255 or 1.0)
        zero = np.uint8(np.clip(np.rint(-low / scale), 0, 255))
        _, scale_name, zero_name = node.output
        model.graph.initializer.extend(
            [
                numpy_helper.from_array(np.array(scale), scale_name),
                numpy_helper.from_array(np.array(zero), zero_name),
            ]
        )
        node.op_type = "QuantizeLinear"
        node.input.extend([scale_name, zero_name])
        del node.output[1:]
