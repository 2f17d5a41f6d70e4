import collections
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asr.errors import BundleError, EdgeAsrError, UsageError

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")
onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from export.__main__ import main  # noqa: E402
from export.checkpoint import save_checkpoint  # noqa: E402
from export.convert.onnx import export_step  # noqa: E402
from export.quantize.graph import quantize  # noqa: E402
from export.quantize.products import float_products  # noqa: E402
from export.rundir import GRAPH, INT8_GRAPH, RunDir  # noqa: E402

WIDTH = 4


class Leaky:
    """The protocol in its smallest form, not a Module: one leaky sum over pairs of frames."""

    subsampling, lookahead_frames, outputs = 2, 3, WIDTH

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"memory": (WIDTH,)}

    def step(self, features: Any, *states: Any) -> tuple[Any, ...]:
        memory, answers = states[0], []
        for pair in features.reshape(-1, self.subsampling, features.shape[-1]):
            memory = 0.5 * memory + pair.sum(dim=0)
            answers.append(memory)
        return torch.log_softmax(torch.stack(answers), dim=-1), memory


def _operators(path: Path) -> collections.Counter[str]:
    return collections.Counter(node.op_type for node in onnx.load(path).graph.node)


def test_any_network_of_the_protocol_becomes_a_step(tmp_path: Path) -> None:
    import onnxruntime

    export_step(Leaky(), tmp_path / "step.onnx", bins=WIDTH, chunk_frames=6)  # type: ignore[arg-type]
    session = onnxruntime.InferenceSession(tmp_path / "step.onnx")
    assert {i.name: i.shape for i in session.get_inputs()} == {"features": [6, WIDTH], "memory_in": [WIDTH]}
    assert [o.name for o in session.get_outputs()] == ["log_probs", "memory_out"]
    x = np.random.default_rng(0).normal(size=(6, WIDTH)).astype(np.float32)
    got = session.run(None, {"features": x, "memory_in": np.ones(WIDTH, np.float32)})
    expected = Leaky().step(torch.from_numpy(x), torch.ones(WIDTH))
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b.numpy(), atol=1e-5)


def test_the_lstm_is_one_operator_and_becomes_int8(converted: Path) -> None:
    plain, small = _operators(converted / GRAPH), _operators(converted / INT8_GRAPH)
    assert plain["LSTM"] == 2 and plain["Constant"] == 0
    assert small["DynamicQuantizeLSTM"] == 2 and small["MatMulInteger"] == 1
    assert small["MatMul"] == 2 and not {"LSTM", "Gemm"} & small.keys(), "the front stays in float"


def test_all_products_become_int8_where_none_is_kept(converted: Path, tmp_path: Path) -> None:
    quantize(converted / GRAPH, tmp_path / "int8.onnx")
    small = _operators(tmp_path / "int8.onnx")
    assert small["MatMulInteger"] == 3 and not {"LSTM", "MatMul", "Gemm"} & small.keys()
    assert (tmp_path / "int8.onnx").stat().st_size < 0.6 * (converted / GRAPH).stat().st_size


def test_what_is_to_stay_in_float_must_be_there(converted: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no module 'third'"):
        quantize(converted / GRAPH, tmp_path / "int8.onnx", keep_float=["first", "third"])


def test_seven_bits_keep_weights_small(converted: Path, tmp_path: Path) -> None:
    quantize(converted / GRAPH, tmp_path / "wide.onnx", weight_bits=8)

    def largest(path: Path) -> int:
        tensors = map(onnx.numpy_helper.to_array, onnx.load(path).graph.initializer)
        return max(int(np.abs(t.astype(int)).max()) for t in tensors if t.dtype == np.int8 and t.ndim > 1)

    assert largest(converted / INT8_GRAPH) <= 64
    assert largest(tmp_path / "wide.onnx") > 120


def test_exporting_leaves_the_network_as_it_was(tmp_path: Path, tiny_checkpoint: Callable[..., Any]) -> None:
    """torch's exporter switched the network to training, and with it dropout on."""
    network = tiny_checkpoint().restore()
    export_step(network, tmp_path / "step.onnx", bins=13, chunk_frames=3)
    assert not network.training


def test_the_same_checkpoint_gives_the_same_bytes(
    converted: Path, tmp_path: Path, tiny_checkpoint: Callable[..., Any]
) -> None:
    save_checkpoint(tmp_path / "model.pt", tiny_checkpoint())
    assert main(["convert", str(tmp_path), "--chunk-frames", "6"]) == 0
    for name in (GRAPH, INT8_GRAPH):
        assert (tmp_path / name).read_bytes() == (converted / name).read_bytes()


def test_a_product_that_stays_in_float_is_an_error(tmp_path: Path) -> None:
    """onnxruntime has no int8 GRU: quantizing one silently changes nothing."""

    class Gru(torch.nn.Module):  # type: ignore[name-defined,misc]
        subsampling, lookahead_frames, outputs = 1, 0, WIDTH

        def __init__(self) -> None:
            super().__init__()
            self.gru = torch.nn.GRU(WIDTH, WIDTH)

        def state_shapes(self) -> dict[str, tuple[int, ...]]:
            return {"hidden": (1, WIDTH)}

        def step(self, features: Any, *states: Any) -> tuple[Any, ...]:
            y, hidden = self.gru(features, states[0])
            return torch.log_softmax(y, dim=-1), hidden

    export_step(Gru().eval(), tmp_path / "gru.onnx", bins=WIDTH, chunk_frames=2)
    assert float_products(onnx.load(tmp_path / "gru.onnx"))
    with pytest.raises(EdgeAsrError, match=r"not quantized: .*GRU"):
        quantize(tmp_path / "gru.onnx", tmp_path / "int8.onnx")


def test_a_chunk_must_hold_whole_outputs(converted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(converted), "--chunk-frames", "7"]) == UsageError.exit_code
    assert "multiple of 3, got 7" in capsys.readouterr().err


def test_a_graph_that_is_missing_or_of_another_network_is_refused(
    converted: Path, tmp_path: Path, tiny_checkpoint: Callable[..., Any]
) -> None:
    checkpoint = tiny_checkpoint()
    save_checkpoint(tmp_path / "model.pt", checkpoint)
    run_dir = RunDir.load(tmp_path)
    with pytest.raises(UsageError, match="python -m export convert"):
        run_dir.engine(GRAPH)
    other = RunDir.load(converted)
    other.network.lookahead_frames = 0  # type: ignore[misc]
    other.network.outputs = 7  # type: ignore[misc]
    with pytest.raises(BundleError, match="log_probs"):
        other.engine(GRAPH)
