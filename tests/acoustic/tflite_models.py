"""TFLite files built by hand, with the schema that ai-edge-litert brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

flatbuffers = pytest.importorskip("flatbuffers", reason="needs ai-edge-litert to build a graph")
schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="needs ai-edge-litert")

from edge_asr.config import AcousticConfig, StateConfig  # noqa: E402

CONFIG = AcousticConfig(
    graph="graph.tflite",
    chunk_frames=4,
    subsampling=2,
    lookahead_frames=0,
    outputs=3,
    states=(StateConfig(name="memory", shape=(1, 3)),),
)
BINS = 2
WEIGHTS = np.arange(-6, 6, dtype=np.float32).reshape(3, 4) / 10


def expected(features: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the graph of :func:`write_graph` computes: log-probabilities (2, 3) and new memory (1, 3)."""
    total = features.reshape(2, 4) @ WEIGHTS.T + memory
    return total - np.log(np.exp(total).sum(axis=1, keepdims=True)), total[1:]


def write_graph(path: Path, *, scales: np.ndarray | None = None, signature: str = "step") -> Path:
    """log_probs = log_softmax(pairs of frames @ W + memory); memory' = memory + last row of the product.

    Parameters
    ----------
    scales: of int8 weights, one or one a channel; None for weights in float.
    """
    graph = _Graph()
    features = graph.tensor("features", (4, BINS))
    memory = graph.tensor("memory_in", (1, 3))
    pairs = graph.tensor("pairs", (2,), np.array([2, 4], np.int32))
    spliced = graph.tensor("spliced", (2, 4))
    if scales is None:
        weights = graph.tensor("weights", (3, 4), WEIGHTS)
    else:
        whole = np.round(WEIGHTS / scales.reshape(-1, 1)).astype(np.int8)
        weights = graph.tensor("weights", (3, 4), whole, scales)
    product, total = graph.tensor("product", (2, 3)), graph.tensor("sum", (2, 3))
    log_probs = graph.tensor("log_probs", (2, 3))
    begin = graph.tensor("begin", (2,), np.array([1, 0], np.int32))
    size = graph.tensor("size", (2,), np.array([1, 3], np.int32))
    after = graph.tensor("memory_out", (1, 3))
    operators, options = schema.BuiltinOperator, schema.BuiltinOptions
    graph.operator(operators.RESHAPE, [features, pairs], [spliced])
    graph.operator(
        operators.FULLY_CONNECTED,
        [spliced, weights, -1],
        [product],
        options.FullyConnectedOptions,
        schema.FullyConnectedOptionsT(),
    )
    graph.operator(operators.ADD, [product, memory], [total], options.AddOptions, schema.AddOptionsT())
    graph.operator(operators.LOG_SOFTMAX, [total], [log_probs])
    graph.operator(operators.SLICE, [total, begin, size], [after])
    inputs = {"features": features, "memory_in": memory}
    graph.write(path, inputs, {"memory_out": after, "log_probs": log_probs}, signature)
    return path


def edit(path: Path, change: Any) -> None:
    """Rewrite a file after ``change(model)`` has changed it in place."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)
    change(model)
    _save(path, model)


def _save(path: Path, model: Any) -> None:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


class _Graph:
    def __init__(self) -> None:
        self._model, self._subgraph = schema.ModelT(), schema.SubGraphT()
        self._model.version = 3
        self._model.buffers = [schema.BufferT()]
        self._model.operatorCodes, self._model.subgraphs = [], [self._subgraph]
        self._subgraph.tensors, self._subgraph.operators = [], []

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        values: np.ndarray | None = None,
        scales: np.ndarray | None = None,
    ) -> int:
        tensor, types = schema.TensorT(), schema.TensorType
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), types.FLOAT32, 0
        if values is not None:
            kinds = {"int8": types.INT8, "int32": types.INT32, "float32": types.FLOAT32}
            tensor.type, tensor.buffer = kinds[values.dtype.name], len(self._model.buffers)
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            self._model.buffers.append(buffer)
        if scales is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales.astype(np.float32)
            tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
        self._subgraph.tensors.append(tensor)
        return len(self._subgraph.tensors) - 1

    def operator(
        self, code: int, inputs: list[int], outputs: list[int], kind: int = 0, options: Any = None
    ) -> None:
        known, operator = schema.OperatorCodeT(), schema.OperatorT()
        known.deprecatedBuiltinCode, known.builtinCode, known.version = min(code, 127), code, 1
        operator.opcodeIndex = len(self._model.operatorCodes)
        operator.inputs, operator.outputs = inputs, outputs
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self._model.operatorCodes.append(known)
        self._subgraph.operators.append(operator)

    def write(self, path: Path, inputs: dict[str, int], outputs: dict[str, int], signature: str) -> None:
        self._subgraph.inputs, self._subgraph.outputs = list(inputs.values()), list(outputs.values())
        offered = schema.SignatureDefT()
        offered.signatureKey, offered.subgraphIndex = signature, 0
        offered.inputs, offered.outputs = _maps(inputs), _maps(outputs)
        self._model.signatureDefs = [offered]
        _save(path, self._model)


def _maps(tensors: dict[str, int]) -> list[Any]:
    maps = []
    for name, index in tensors.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        maps.append(entry)
    return maps
