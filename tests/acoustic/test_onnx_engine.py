"""Where onnxruntime runs a graph."""

from __future__ import annotations

from typing import Any

import pytest

from edge_asr.acoustic import create_engine
from edge_asr.acoustic.onnx import chain_of_providers
from edge_asr.bundle import Bundle
from edge_asr.errors import UsageError

JETSON = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cpu", ["CPUExecutionProvider"]),
        ("cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("CUDA", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("tensorrt", JETSON),
    ],
)
def test_a_provider_is_named_in_short(name: str, expected: list[str]) -> None:
    assert chain_of_providers(name, JETSON) == expected


def test_an_absent_provider_is_refused_and_the_others_named() -> None:
    with pytest.raises(UsageError, match="no provider 'cuda' here, only azure, cpu: install"):
        chain_of_providers("cuda", ["AzureExecutionProvider", "CPUExecutionProvider"])


def test_the_processor_can_be_asked_for() -> None:
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    assert create_engine("onnx:cpu", Bundle.load("en-tiny")).bins == 40
    with pytest.raises(UsageError, match="no provider 'abacus'"):
        create_engine("onnx:abacus", Bundle.load("en-tiny"))


def test_a_provider_that_does_not_start_is_no_silent_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime itself would go on with the processor, and say so in its log alone."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: JETSON)
    session = onnxruntime.InferenceSession

    def without_device(graph: Any, options: Any, providers: list[str]) -> Any:
        return session(graph, options, providers=providers[-1:])

    monkeypatch.setattr(onnxruntime, "InferenceSession", without_device)
    with pytest.raises(UsageError, match="provider 'cuda' did not start"):
        create_engine("onnx:cuda", Bundle.load("en-tiny"))
