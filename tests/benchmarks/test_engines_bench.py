"""What engines cost, on the smallest model."""

from __future__ import annotations

import pytest

pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")
pytest.importorskip("pyroomacoustics", reason="rooms need pyroomacoustics (the extra train)")

from benchmarks.engine_steps import step_times_ms
from benchmarks.engines import _run_alone, cost, engines_of
from edge_asr.acoustic import create_engine
from edge_asr.bundle import Bundle


def test_engines_take_turns() -> None:
    bundle = Bundle.load("en-tiny")
    engines = [create_engine("numpy", bundle) for _ in range(2)]
    times = step_times_ms(engines, bundle, rounds=3)
    assert [len(of_engine) for of_engine in times] == [3, 3]
    assert min(min(of_engine) for of_engine in times) > 0


def test_an_engine_alone_says_its_load_speed_and_memory() -> None:
    alone = _run_alone("numpy", "en-tiny")
    assert set(alone) == {"load_s", "ms_per_audio_s", "peak_memory_mb"}
    assert 0 < alone["ms_per_audio_s"] < 1000, "slower than real time"
    assert 10 < alone["peak_memory_mb"] < 300
    with pytest.raises(RuntimeError, match="no engine 'abacus'"):
        _run_alone("abacus", "en-tiny")


def test_only_engines_with_a_file_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.load("en-tiny")
    assert "numpy" in engines_of(bundle)
    monkeypatch.setattr("benchmarks.engines._PROCESSES", 1)
    found = cost("en-tiny", ["numpy"])["numpy"]
    assert found["size_bytes"] == bundle.path("acoustic.int8.onnx").stat().st_size
    assert "times_onnx" not in found, "there is nothing to compare with"
