"""What engines cost, on the smallest model."""

from __future__ import annotations

import pytest

pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")
pytest.importorskip("pyroomacoustics", reason="rooms need pyroomacoustics (the extra train)")

from benchmarks.engine_steps import step_times_ms
from benchmarks.engines import cost, engines_of, run_steps
from edge_asr.acoustic import create_engine
from edge_asr.bundle import Bundle
from edge_asr.errors import EdgeAsrError


def test_engines_take_turns() -> None:
    bundle = Bundle.load("en-tiny")
    engines = [create_engine("numpy", bundle) for _ in range(2)]
    times = step_times_ms(engines, bundle, rounds=3)
    assert [len(of_engine) for of_engine in times] == [3, 3]
    assert min(min(of_engine) for of_engine in times) > 0


def test_a_process_says_load_speed_and_memory() -> None:
    report, memory_mb = run_steps("en-tiny", ["numpy"])
    assert report["numpy"]["load_s"] > 0
    assert max(report["numpy"]["times_ms"]) < 1000, "slower than real time"
    assert 10 < memory_mb < 300
    with pytest.raises(EdgeAsrError, match="no engine 'abacus'"):
        run_steps("en-tiny", ["abacus"])


def test_only_engines_with_a_file_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.load("en-tiny")
    assert "numpy" in engines_of(bundle)
    monkeypatch.setattr("benchmarks.engines._PROCESSES", 1)
    found = cost("en-tiny", ["numpy"])["numpy"]
    assert 0 < found["ms_per_audio_s"] < 1000
    assert found["size_bytes"] == bundle.path("acoustic.int8.onnx").stat().st_size
    assert "times_onnx" not in found, "there is nothing to compare with"
