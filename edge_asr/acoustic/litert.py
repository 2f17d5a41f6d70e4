"""Inference with LiteRT, the runtime of TFLite files, or with tflite-runtime, which came before it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_asr.acoustic.interpreters import Interpreters
from edge_asr.acoustic.signature import FLOAT, Tensors, check_signature
from edge_asr.acoustic.state import State
from edge_asr.acoustic.tflite_file import (
    DEPTHWISE_CONV_2D,
    FLOAT32,
    FULLY_CONNECTED,
    INT8,
    Tensor,
    TfliteFile,
)
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError, MissingExtraError, UsageError

SIGNATURE = "step"
"""Name of the one function that a file offers."""

CURRENT, LEGACY = "ai_edge_litert", "tflite_runtime"
"""Packages that have an interpreter; the first that is installed is used."""


class LitertEngine:
    """One TFLite ``step`` graph. ``step`` may run in several threads at once, each with its own interpreter.

    Parameters
    ----------
    graph: the TFLite file.
    config: what the graph must look like.
    bins: values in one feature frame.
    threads: that one step may use; below a few million weights more than one only costs.

    Raises
    ------
    MissingExtraError: neither ai-edge-litert nor tflite-runtime is installed.
    BundleError: the graph cannot be read, its inputs and outputs do not fit ``config``, or the runtime is
        known to answer garbage to it.
    """

    def __init__(self, graph: Path, config: AcousticConfig, *, bins: int, threads: int = 1) -> None:
        if threads < 1:
            raise UsageError(f"threads must be at least 1, got {threads}")
        self._config = config
        self._bins = bins
        package, make = find_interpreter()
        file = TfliteFile.read(graph)
        signature = file.signatures.get(SIGNATURE)
        if signature is None:
            got = ", ".join(file.signatures) or "none"
            raise BundleError(f"{graph}: expected the signature {SIGNATURE!r}, got {got}; convert again")
        outputs = check_signature(
            graph,
            config,
            bins=bins,
            inputs=_tensors(signature.inputs),
            outputs=_tensors(signature.outputs),
        )
        refuse_garbage(graph, file, package)

        def load() -> Any:
            try:
                # From the path, so that all interpreters share one mapping of the weights.
                interpreter = make(model_path=str(graph), num_threads=threads)
                interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                reason = str(error).splitlines()[0]
                raise BundleError(f"{graph}: {package} cannot load this graph: {reason}") from error
            return interpreter

        self._interpreters = Interpreters(load, limit=os.cpu_count() or 1)
        with self._interpreters.borrow() as interpreter:
            runner = interpreter.get_signature_runner(SIGNATURE)
            taken, given = runner.get_input_details(), runner.get_output_details()
        names = ["features", *(f"{state.name}_in" for state in config.states)]
        self._inputs = [taken[name]["index"] for name in names]
        self._outputs = [given[name]["index"] for name in outputs]

    @property
    def bins(self) -> int:
        """Values in one feature frame."""
        return self._bins

    def initial_state(self) -> State:
        """Zeros."""
        return State.zeros(self._config.states)

    def step(self, features: Float32Array, state: State) -> tuple[Float32Array, State]:
        """Answer for one chunk, see :class:`edge_asr.acoustic.Engine`."""
        arguments = [np.ascontiguousarray(features, dtype=np.float32)]
        arguments += [state[config.name] for config in self._config.states]
        with self._interpreters.borrow() as interpreter:
            # By index: the signature's own runner lays all tensors out anew in every call.
            for index, argument in zip(self._inputs, arguments, strict=True):
                interpreter.set_tensor(index, argument)
            interpreter.invoke()
            log_probs, *states = [interpreter.get_tensor(index) for index in self._outputs]
        names = (config.name for config in self._config.states)
        return log_probs, State(dict(zip(names, states, strict=True)))


def find_interpreter() -> tuple[str, Any]:
    """The package that runs TFLite files here, and its class of interpreters.

    Raises
    ------
    MissingExtraError: there is none.
    """
    for package in (CURRENT, LEGACY):
        try:
            return package, importlib.import_module(f"{package}.interpreter").Interpreter
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != package:
                raise
    raise MissingExtraError("ai-edge-litert", "litert", "The engine 'litert'")


def refuse_garbage(graph: Path, file: TfliteFile, package: str) -> None:
    """Refuse what an interpreter is known to get wrong without a word, of float inputs and int8 weights.

    A convolution with one kernel a channel takes a scale for each channel from where there is one only, in
    ai-edge-litert 2.3.0 and tflite-runtime 2.14.0 alike: it multiplies by what lies behind in memory. A
    product in tflite-runtime scales every output by the scale of the first: with a model of 5.7 million
    weights the best token was right in 0.1 % of the frames.

    Raises
    ------
    BundleError: the graph holds such an operator; the message names the first.
    """
    for operator in file.operators:
        if operator.code not in (DEPTHWISE_CONV_2D, FULLY_CONNECTED):
            continue
        x, weights, *_ = operator.inputs
        if (x.type, weights.type) != (FLOAT32, INT8):
            continue
        if operator.code == DEPTHWISE_CONV_2D and weights.scales < weights.shape[-1]:
            raise BundleError(
                f"{graph}: {package} answers garbage to a DEPTHWISE_CONV_2D with {weights.scales} scale for "
                f"{weights.shape[-1]} channels of int8 weights ({weights.name}): quantize products only, as "
                "python -m export convert --to tflite does"
            )
        if operator.code == FULLY_CONNECTED and weights.scales > 1 and package == LEGACY:
            raise BundleError(
                f"{graph}: tflite-runtime answers garbage to a FULLY_CONNECTED with a scale for each of "
                f"{weights.scales} channels ({weights.name}): install ai-edge-litert, or make a graph with "
                "one scale a tensor: python -m export convert --to tflite --granularity tensor"
            )


def _tensors(tensors: Mapping[str, Tensor]) -> Tensors:
    """What ``check_signature`` compares."""
    return {
        name: (FLOAT if tensor.type == FLOAT32 else f"type {tensor.type}", tensor.shape)
        for name, tensor in tensors.items()
    }
