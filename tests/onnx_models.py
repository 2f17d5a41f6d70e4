"""Small ONNX files for the tests of what reads and runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx to build a graph")

OPSETS = [onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("com.microsoft", 1)]


def write_model(
    path: Path,
    nodes: Sequence[Any],
    inputs: Mapping[str, np.ndarray],
    outputs: Mapping[str, tuple[type[np.generic], Sequence[Any] | None]],
    weights: Mapping[str, np.ndarray],
) -> Path:
    """Write a model whose inputs are like the arrays given for them."""
    helper = onnx.helper

    def info(name: str, dtype: Any, shape: Sequence[Any] | None) -> Any:
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)

    graph = helper.make_graph(
        list(nodes),
        "test",
        [info(name, array.dtype, array.shape) for name, array in inputs.items()],
        [info(name, *kind) for name, kind in outputs.items()],
        [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=OPSETS, ir_version=9), path)
    return path


STEP_WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) / 10


def write_step(path: Path) -> Path:
    """log_probs = log_softmax(pairs of frames @ W + memory); memory' = memory + last row of the product."""
    make = onnx.helper.make_node
    return write_model(
        path,
        [
            make("Reshape", ["features", "pairs"], ["spliced"]),
            make("MatMul", ["spliced", "weights"], ["product"]),
            make("Add", ["product", "memory_in"], ["sum"]),
            make("LogSoftmax", ["sum"], ["log_probs"], axis=-1),
            make("Gather", ["sum", "last"], ["memory_out"], axis=0),
        ],
        {"features": np.zeros((4, 2), np.float32), "memory_in": np.zeros((1, 3), np.float32)},
        {"memory_out": (np.float32, [1, 3]), "log_probs": (np.float32, [2, 3])},
        {"weights": STEP_WEIGHTS, "pairs": np.array([2, 4]), "last": np.array([1])},
    )
