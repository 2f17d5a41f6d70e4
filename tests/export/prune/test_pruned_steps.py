"""The benchmark of steps: all graphs take turns, and figures are beside the float graph from before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from benchmarks.pruned_steps import measure
from edge_asr.errors import UsageError
from export.__main__ import main
from export.rundir import INT8_GRAPH, RunDir


def test_all_graphs_are_timed_and_sized(converted: Path) -> None:
    figures = measure(RunDir.load(converted), RunDir.load(converted), 20)
    names = ["before_float", "before_int8", "after_float", "after_int8"]
    assert [*figures["step_ms"]] == [*figures["times_faster"]] == names
    assert figures["chunk_frames"] == 6
    assert figures["times_faster"]["before_float"] == 1.0
    for name in names:
        ratio = figures["step_ms"]["before_float"] / figures["step_ms"][name]
        assert figures["times_faster"][name] == pytest.approx(ratio, abs=0.01)
    assert figures["networks"]["before"] == figures["networks"]["after"]
    assert figures["networks"]["after"]["int8_bytes"] == (converted / INT8_GRAPH).stat().st_size
    assert figures["networks"]["after"]["phone_error"] == {"grid": 0.25}


def test_other_chunks_are_no_comparison(converted: Path, tmp_path: Path) -> None:
    shutil.copy(converted / "model.pt", tmp_path)
    assert main(["convert", str(tmp_path), "--chunk-frames", "12"]) == 0
    with pytest.raises(UsageError, match=r"chunks of one length, got \[6, 12\]: convert with"):
        measure(RunDir.load(converted), RunDir.load(tmp_path), 1)
