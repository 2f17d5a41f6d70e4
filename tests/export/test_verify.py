import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asr.errors import EdgeAsrError

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")
onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from export.__main__ import main  # noqa: E402
from export.checkpoint import save_checkpoint  # noqa: E402
from export.forms import of_run  # noqa: E402
from export.rundir import GRAPH, INT8_GRAPH, RunDir  # noqa: E402
from export.verify import Row, verify  # noqa: E402

Break = Callable[[Any], None]


@pytest.fixture
def run_dir(converted: Path, tmp_path: Path) -> Path:
    """A copy of the converted run that a test may spoil."""
    return Path(shutil.copytree(converted, tmp_path / "run"))


def _rows(run_dir: RunDir, features: list[np.ndarray]) -> list[Row]:
    """What was run, by any engine that is installed."""
    return [row for row in verify(of_run(run_dir), features).rows if row.agrees is not None]


def _files(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row.form.split(",")[0] for row in rows))


def _disagreeing(path: Path, features: list[np.ndarray]) -> list[str]:
    return _files([row for row in _rows(RunDir.load(path), features) if not row.agrees])


def _edit(path: Path, change: Break) -> None:
    model = onnx.load(path)
    change(model.graph)
    onnx.save(model, path)


def test_all_forms_of_a_sound_run_agree(converted: Path, tone_features: list[np.ndarray]) -> None:
    rows = _rows(RunDir.load(converted), tone_features)
    assert _files(rows) == ["torch", GRAPH, INT8_GRAPH]
    assert all(row.agrees for row in rows)
    differences = {row.form: row.difference for row in rows}
    plain, small = (differences[f"{file}, onnx"] for file in (GRAPH, INT8_GRAPH))
    assert plain and small and small.mean_log_prob > plain.mean_log_prob > 0


def _swap_states(graph: Any) -> None:
    """hidden_out and cell_out change names: loads, runs, has the right shapes, and is wrong."""
    names = {"hidden_out": "cell_out", "cell_out": "hidden_out"}
    for node in graph.node:
        for i, name in enumerate(node.output):
            node.output[i] = names.get(name, name)


def _forget_context(graph: Any) -> None:
    """The first frames of each chunk see zeros in place of the chunk before."""
    zeros = onnx.numpy_helper.from_array(np.zeros((6, 13), np.float32), "zeros")
    graph.initializer.append(zeros)
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == "context_in":
                node.input[i] = "zeros"


def _corrupt_weights(graph: Any) -> None:
    """The largest weight matrix of 8 or 32 bits is read backwards."""
    chosen = max(graph.initializer, key=lambda tensor: len(tensor.raw_data))
    array = onnx.numpy_helper.to_array(chosen)
    chosen.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(array[..., ::-1]), chosen.name))


def _spoil_one_bias(graph: Any) -> None:
    """One output is a little too probable."""
    chosen = next(t for t in graph.initializer if t.name.endswith("out.bias"))
    array = onnx.numpy_helper.to_array(chosen).copy()
    array[2] += 1.0
    chosen.CopyFrom(onnx.numpy_helper.from_array(array, chosen.name))


@pytest.mark.parametrize(
    ("spoil", "graph"),
    [
        *itertools.product([_swap_states, _forget_context, _corrupt_weights], [GRAPH, INT8_GRAPH]),
        (_spoil_one_bias, GRAPH),
    ],
)
def test_a_broken_graph_is_caught(
    run_dir: Path, tone_features: list[np.ndarray], spoil: Break, graph: str
) -> None:
    _edit(run_dir / graph, spoil)
    assert _disagreeing(run_dir, tone_features) == [graph]


def test_graphs_of_another_training_are_caught(
    run_dir: Path, tone_features: list[np.ndarray], tiny_checkpoint: Callable[..., Any]
) -> None:
    weights = {name: tensor.flip(0) for name, tensor in tiny_checkpoint().weights.items()}
    save_checkpoint(run_dir / "model.pt", tiny_checkpoint(weights))
    assert _disagreeing(run_dir, tone_features) == [GRAPH, INT8_GRAPH]


def test_a_network_whose_stream_differs_from_its_file_is_caught(
    converted: Path, tone_features: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = RunDir.load(converted)
    step = run_dir.network.step
    monkeypatch.setattr(run_dir.network, "step", lambda x, c, h, s: step(x, c, h, s * 0.9))
    rows = _rows(run_dir, tone_features)
    assert _files([row for row in rows if not row.agrees]) == ["torch"]


def test_agreement_on_silence_is_no_proof(
    run_dir: Path, tone_features: list[np.ndarray], tiny_checkpoint: Callable[..., Any]
) -> None:
    weights = dict(tiny_checkpoint().weights)
    weights["out.bias"] = weights["out.bias"] + torch.tensor([50.0, 0, 0, 0, 0, 0])
    save_checkpoint(run_dir / "model.pt", tiny_checkpoint(weights))
    with pytest.raises(EdgeAsrError, match="hears nothing"):
        _rows(RunDir.load(run_dir), tone_features)


def test_the_command_listens_to_a_manifest(
    converted: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(converted), "--manifest", str(manifest), "--recordings", "3"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("3 recordings") and out.count("agrees") >= 3 and "DIFFERS" not in out


def test_the_command_fails_where_a_form_disagrees(
    run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _edit(run_dir / INT8_GRAPH, _corrupt_weights)
    assert main(["verify", str(run_dir), "--manifest", str(manifest), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["agrees"] is False
    wrong = [row["form"] for row in report["rows"] if row["agrees"] is False]
    assert wrong and all(form.startswith(INT8_GRAPH) for form in wrong)
    assert report["recordings"] == 6
