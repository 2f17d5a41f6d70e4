"""The benchmark of all ways to quantize, on a tiny trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from benchmarks import quantization
from export.rundir import RunDir


def test_every_variant_is_beside_the_float_graph(
    converted: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def few() -> Any:
        """This network's products but its LSTMs', which have no int4."""
        for bits in (7, 8):
            yield f"dynamic, {bits}", "int8", (), {"weight_bits": bits}, None
        yield "static", "int8", ("first",), {}, 0.01
        yield "int4", "int4", ("lstms",), {}, None

    assert len({(name, keep) for name, _, keep, _, _ in quantization.variants()}) == 20
    monkeypatch.setattr(quantization, "variants", few)
    files = sorted(manifest.parent.glob("*.wav"))
    figures = quantization.measure(RunDir.load(converted), files[:2], files[2:])
    assert figures["judged_by"] == ["tones/0.wav", "tones/1.wav"] and figures["seconds"] > 1
    assert [row["variant"] for row in figures["rows"]] == ["dynamic, 7", "dynamic, 8", "static", "int4"]
    for row in figures["rows"]:
        assert 0 < row["divergence"] < 0.2 and row["argmax_agreement"] > 0.9
        assert row["size_bytes"] < figures["float"]["size_bytes"]
    assert figures["rows"][2]["kept_in_float"] == ["first"]
