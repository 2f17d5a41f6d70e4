"""What every registered network keeps: a stream equals its file, and so do the graphs made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch (the extra train)")

from edge_asr.acoustic.numpy import NumpyEngine  # noqa: E402
from edge_asr.acoustic.onnx import OnnxEngine  # noqa: E402
from edge_asr.errors import UsageError  # noqa: E402
from export.net import NETWORKS, create_network  # noqa: E402
from export.net.engine import TorchEngine, acoustic_config, whole_file  # noqa: E402
from export.net.network import FixedChunk  # noqa: E402

BINS, OUTPUTS = 5, 4
TINY: dict[str, dict[str, Any]] = {
    "conformer": {"dim": 8, "heads": 2, "ff": 12, "layers": 2, "kernel": 4, "left_outputs": 6},
    "lstm": {"hidden": 8, "layers": 2, "ahead": [2, 1]},
    "tdnn": {"dim": 8, "ff": 12, "contexts": [[1, 1], [3, 0], [0, 2]], "mean_every": 2},
    "tdnnf": {"dim": 8, "bottleneck": 5, "contexts": [[1, 1], [3, 0], [0, 2]], "mean_every": 2},
}
"""Options of a small one of each, with contexts to both sides."""
SUBJECTS = [
    (name, chunk) for name in sorted(NETWORKS) for chunk in ((12,) if name == "conformer" else (3, 6, 12, 24))
]


def _network(name: str, **changes: Any) -> Any:
    torch.manual_seed(3)
    options = {**TINY[name], "channels": 6, "dropout": 0.0, "lookahead_frames": 10, **changes}
    network: Any = create_network(name, {**options, "bins": BINS, "outputs": OUTPUTS})
    with torch.no_grad():
        for weights in network.parameters():  # so that norms and biases are not what they start as
            weights.add_(0.1 * torch.randn_like(weights))
    return network.eval()


def _features(frames: int, bins: int = BINS) -> Any:
    return np.random.default_rng(frames).normal(size=(frames, bins)).astype(np.float32)


def _streamed(engine: Any, config: Any, features: Any) -> Any:
    from edge_asr.acoustic.chunking import AcousticModel

    model = AcousticModel(engine, config)
    return np.concatenate([model.push(features), model.flush()])


def _graph(network: Any, path: Path, bins: int = BINS) -> Any:
    pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    from export.convert.onnx import export_step

    chunk = network.chunk_frames if isinstance(network, FixedChunk) else 12
    export_step(network, path, bins=bins, chunk_frames=chunk)
    return acoustic_config(network, graph=path.name, chunk_frames=chunk)


def test_every_network_is_a_subject() -> None:
    assert TINY.keys() == NETWORKS.keys()


@pytest.mark.parametrize("frames", [1, 35, 48])
@pytest.mark.parametrize(("name", "chunk"), SUBJECTS)
def test_stream_equals_file(name: str, chunk: int, frames: int) -> None:
    """As the runtime drives it: from zeros, whole chunks, the tail filled up with zeros and cut off."""
    network, features = _network(name), _features(frames)
    config = acoustic_config(network, graph="-", chunk_frames=chunk)
    got = _streamed(TorchEngine(network, config, bins=BINS), config, features)
    np.testing.assert_allclose(got, whole_file(network, features), atol=1e-5)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_file_in_two_calls_equals_one(name: str) -> None:
    network, features = _network(name), torch.randn(3, 48, BINS)
    with torch.inference_mode():
        whole, end = network(features)
        first, state = network(features[:, :36])
        second, last = network(features[:, 36:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, atol=1e-5, rtol=0)
    for a, b in zip(end, last, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_utterances_of_a_batch_do_not_mix(name: str) -> None:
    network, features = _network(name), torch.randn(3, 36, BINS)
    with torch.inference_mode():
        together = network(features)[0]
        alone = torch.cat([network(x[None])[0] for x in features])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_gradients_reach_every_weight(name: str) -> None:
    network = _network(name).train()
    network(torch.randn(4, 48, BINS))[0].square().sum().backward()
    missed = [n for n, w in network.named_parameters() if w.grad is None or not bool(w.grad.any())]
    assert not missed


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_autocast_trains(name: str) -> None:
    """In bfloat16, as training runs where the processor is quick at it."""
    network, features = _network(name).train(), torch.randn(2, 48, BINS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        log_probs = network(features)[0]
    assert log_probs.dtype == torch.float32
    torch.testing.assert_close(log_probs.exp(), network(features)[0].exp(), atol=0.1, rtol=0)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_dropout_is_of_training_only(name: str) -> None:
    network, features = _network(name, dropout=0.5), torch.randn(1, 36, BINS)
    assert torch.equal(network(features)[0], network(features)[0])
    network.train()
    assert not torch.equal(network(features)[0], network(features)[0])


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_weights_carry_over(name: str) -> None:
    network, features = _network(name), torch.randn(1, 36, BINS)
    torch.manual_seed(4)
    other = _network(name)
    with torch.no_grad():
        for weights in other.parameters():
            weights.normal_()
    assert not torch.equal(other(features)[0], network(features)[0])
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(features)[0], network(features)[0])


@pytest.mark.parametrize("engine_class", [OnnxEngine, NumpyEngine])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_graph_says_what_the_file_says(name: str, engine_class: Any, tmp_path: Path) -> None:
    network, features = _network(name), _features(50)
    config = _graph(network, tmp_path / "step.onnx")
    engine = engine_class(tmp_path / "step.onnx", config, bins=BINS)
    got = _streamed(engine, config, features)
    np.testing.assert_allclose(got, whole_file(network, features), atol=1e-5)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_graph_has_no_choices_in_it(name: str, tmp_path: Path) -> None:
    """Masks and shapes that are only known when it runs: engines for microcontrollers refuse them."""
    onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    _graph(_network(name), tmp_path / "step.onnx")
    operators = {node.op_type for node in onnx.load(tmp_path / "step.onnx").graph.node}
    assert not operators & {"Where", "Shape", "Loop", "If", "Range", "ConstantOfShape", "ScatterND"}


@pytest.mark.parametrize("engine_class", [OnnxEngine, NumpyEngine])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_int8_mostly_agrees(name: str, engine_class: Any, tmp_path: Path) -> None:
    from export.convert.onnx import quantize

    width = {"hidden": 64} if name == "lstm" else {"dim": 64}
    network, features = _network(name, **width), _features(300)
    config = _graph(network, tmp_path / "step.onnx")
    quantize(tmp_path / "step.onnx", tmp_path / "int8.onnx")
    engine = engine_class(tmp_path / "int8.onnx", config, bins=BINS)
    got, expected = _streamed(engine, config, features), whole_file(network, features)
    assert not np.array_equal(got, expected)
    assert (got.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.9
    np.testing.assert_allclose(np.exp(got), np.exp(expected), atol=0.15)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_an_unknown_setting_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=f"network '{name}': .*'wings'"):
        create_network(name, {"bins": BINS, "outputs": OUTPUTS, "wings": 2})
