"""``python -m export quantize`` on a tiny trained network: all kinds, within budgets, and what suffers."""

from __future__ import annotations

import collections
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs torch (the extra train)")
onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from edge_asr.errors import BundleError, UsageError  # noqa: E402
from export.__main__ import main  # noqa: E402
from export.quantize.graph import quantize  # noqa: E402
from export.quantize.record import read_record, record_path  # noqa: E402
from export.rundir import GRAPH, INT8_GRAPH  # noqa: E402


@pytest.fixture
def run_dir(converted: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    shutil.copytree(converted, folder)
    return folder


def _report(capsys: pytest.CaptureFixture[str], run_dir: Path, manifest: Path, *flags: str) -> Any:
    few = ["--recordings", "3", "--calibration", "3"]
    code = main(["quantize", str(run_dir), "--manifest", str(manifest), *few, "--json", *flags])
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)


def _operators(path: Path) -> collections.Counter[str]:
    return collections.Counter(node.op_type for node in onnx.load(path).graph.node)


def test_dynamic_is_what_convert_writes(
    run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = _report(capsys, run_dir, manifest)
    made = run_dir / "acoustic.dynamic.onnx"
    assert made.read_bytes() == (run_dir / INT8_GRAPH).read_bytes()
    assert report["record"]["forms"] == {
        **{"first": "float", "second": "float", "lstms.0": "int8", "lstms.1": "int8"},
        "out": "int8",
    }
    assert report["size_bytes"] == made.stat().st_size < report["float_size_bytes"]
    assert report["argmax_agreement"] > 0.97 and 0 < report["divergence"] < 0.02


def test_two_at_a_time_do_not_meet(run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime left a file beside the float graph for a moment, and took away that of another run."""
    original, written = onnx.shape_inference.infer_shapes_path, []

    def infer(model: str, output: str, *more: Any) -> None:
        written.append(Path(output))
        original(model, output, *more)

    monkeypatch.setattr(onnx.shape_inference, "infer_shapes_path", infer)
    for name in ("one.onnx", "two.onnx"):
        quantize(run_dir / GRAPH, tmp_path / name)
    assert written and all(run_dir not in path.parents for path in written)
    assert len(set(written)) == len(written)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_static_looks_for_no_ranges_and_says_where_they_come_from(
    run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = _report(capsys, run_dir, manifest, "--kind", "static", "--keep-float")
    operators = _operators(run_dir / "acoustic.static.onnx")
    assert operators["QuantizeLinear"] == operators["MatMulInteger"] == 3
    assert operators["DynamicQuantizeLinear"] == 0 and operators["DynamicQuantizeLSTM"] == 2
    assert report["argmax_agreement"] > 0.95 and 0 < report["divergence"] < 0.05
    record = read_record(run_dir / "acoustic.static.onnx")
    assert record and record.calibration
    assert len(record.calibration.recordings) == 3
    assert all(name.startswith("tones/") for name in record.calibration.recordings)
    assert "ranges measured on 3 recordings" in record.says() and "of tones" in record.says()


def test_clipped_ranges_are_narrower(
    run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = []
    for clip in ("0", "0.2", "0.45"):
        _report(capsys, run_dir, manifest, "--kind", "static", "--keep-float", "--clip", clip)
        graph = onnx.load(run_dir / "acoustic.static.onnx").graph
        stored = {t.name: float(onnx.numpy_helper.to_array(t)) for t in graph.initializer if not t.dims}
        steps.append([stored[node.input[1]] for node in graph.node if node.op_type == "QuantizeLinear"])
    assert all(a > b > c for a, b, c in zip(*steps, strict=True))


def test_int4_needs_the_lstm_kept(run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["quantize", str(run_dir), "--manifest", str(manifest), "--kind", "int4"]
    assert main(flags) == UsageError.exit_code
    assert "lstms.0: a product of kind LSTM can be float, int8, not int4" in capsys.readouterr().err
    assert not (run_dir / "acoustic.int4.onnx").exists()
    report = _report(capsys, run_dir, manifest, "--kind", "int4", "--keep-float", "lstms")
    operators = _operators(run_dir / "acoustic.int4.onnx")
    assert operators["MatMulNBits"] == 3 and operators["LSTM"] == 2
    assert not {"MatMul", "Gemm"} & operators.keys()
    assert report["argmax_agreement"] > 0.9 and report["divergence"] > 0


def test_one_scale_for_all_is_coarser(
    run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    per_channel = _report(capsys, run_dir, manifest)
    per_tensor = _report(capsys, run_dir, manifest, "--per-tensor")
    assert per_tensor["divergence"] > per_channel["divergence"]
    assert per_tensor["size_bytes"] < per_channel["size_bytes"]


def test_sensitivity_is_of_each_product(
    run_dir: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib (the extra train)")
    before = sorted(run_dir.iterdir())
    rows = _report(capsys, run_dir, manifest, "--sensitivity", "--plot", str(tmp_path / "s.png"))
    assert [(row["module"], row["form"]) for row in rows] == [
        *[("first", "int8"), ("first", "int4"), ("second", "int8"), ("second", "int4")],
        *[("lstms.0", "int8"), ("lstms.1", "int8"), ("out", "int8"), ("out", "int4")],
    ]
    for row in rows:
        for effect in (row["alone"], row["rest"]):
            assert effect["divergence"] > 0 and 0 <= effect["argmax_agreement"] <= 1
    by = {(row["module"], row["form"]): row["alone"]["divergence"] for row in rows}
    assert by["out", "int4"] > by["out", "int8"]
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(run_dir.iterdir()) == before
    flags = ["--manifest", str(manifest), "--recordings", "2"]
    assert main(["quantize", str(run_dir), *flags, "--sensitivity"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert len(table) == 2 + len(rows) and "all but it" in table[0]


@pytest.mark.parametrize("share", [0.45, 0.7, 0.9])
def test_a_budget_is_kept(
    share: float, run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget = int(share * (run_dir / GRAPH).stat().st_size)
    report = _report(capsys, run_dir, manifest, "--budget-bytes", str(budget))
    made = run_dir / "acoustic.mixed.onnx"
    assert 0.7 * budget < made.stat().st_size == report["size_bytes"] <= budget
    assert report["record"]["kind"] == "mixed"
    assert report["argmax_agreement"] > 0.9


def test_a_budget_that_nothing_fits_is_refused(
    run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--manifest", str(manifest), "--recordings", "1"]
    assert main(["quantize", str(run_dir), *flags, "--budget-bytes", "5000"]) == UsageError.exit_code
    assert "got a budget of 5,000: allow more" in capsys.readouterr().err
    assert not (run_dir / "acoustic.mixed.onnx").exists()


def test_a_record_of_another_graph_is_refused(
    run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _report(capsys, run_dir, manifest)
    made = run_dir / "acoustic.dynamic.onnx"
    assert read_record(run_dir / GRAPH) is None
    shutil.copy(run_dir / GRAPH, made)
    with pytest.raises(BundleError, match="describes another graph than"):
        read_record(made)
    record_path(made).write_text("{")
    with pytest.raises(BundleError, match="not JSON"):
        read_record(made)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--out", GRAPH], "that is the float graph"),
        (["--plot", "x.png"], "give both"),
        (["--clip", "0.5"], r"--clip must lie in [0, 0.5), got 0.5"),
        (["--keep-float", "third"], "--keep-float: the network has no module 'third'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    flags: list[str], words: str, run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["quantize", str(run_dir), "--manifest", str(manifest), "--recordings", "1", *flags]
    assert main(flags) == UsageError.exit_code
    assert words in capsys.readouterr().err


def test_the_card_says_how_and_on_what_recordings(
    run_dir: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A static graph in the place of the dynamic one is what the bundle ships."""
    (tmp_path / "lexicon.txt").write_text("bat B AA T\n")
    pack = ["pack", str(run_dir), "--lexicon", str(tmp_path / "lexicon.txt"), "--name", "tiny-1"]
    assert main([*pack, "--out", str(tmp_path / "one")]) == 0
    card = (tmp_path / "one" / "tiny-1" / "CARD.md").read_text()
    assert "- quantization is dynamic: 2 in float, 3 in int8 products; int8 weights of 7 bits\n" in card
    capsys.readouterr()
    _report(capsys, run_dir, manifest, "--kind", "static", "--out", INT8_GRAPH)
    assert main([*pack, "--out", str(tmp_path / "two")]) == 0
    card = (tmp_path / "two" / "tiny-1" / "CARD.md").read_text()
    assert "- quantization is static: " in card and "; ranges measured on 3 recordings, " in card


def test_verify_listens_to_all_that_was_made(
    run_dir: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _report(capsys, run_dir, manifest, "--kind", "static")
    assert main(["verify", str(run_dir), "--manifest", str(manifest), "--json"]) == 0
    forms = [row["form"] for row in json.loads(capsys.readouterr().out)["rows"]]
    assert {f"{INT8_GRAPH}, onnx", "acoustic.static.onnx, onnx"} <= set(forms)
    _report(capsys, run_dir, manifest, "--kind", "static", "--clip", "0.49", "--keep-float")
    graph = onnx.load(run_dir / "acoustic.static.onnx")
    for tensor in graph.graph.initializer:
        if tensor.name.endswith("scale") and not tensor.dims:
            tensor.raw_data = (onnx.numpy_helper.to_array(tensor) / 16).tobytes()
    onnx.save(graph, run_dir / "acoustic.static.onnx")
    assert main(["verify", str(run_dir), "--manifest", str(manifest)]) == 1
    table = capsys.readouterr().out.splitlines()
    assert "acoustic.static.onnx" in table[-1] and table[-1].endswith("DIFFERS")
