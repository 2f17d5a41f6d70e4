"""Multiplications and bytes, beside a count by hand and torch's own counter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")

from prunable import TINY  # noqa: E402

from export.prune.cost import cost  # noqa: E402


def test_a_count_by_hand() -> None:
    shape = {"bins": 10, "outputs": 7, "channels": 8, "dim": 12, "ff": 20, "contexts": [[1, 1], [3, 0]]}
    first = 5 * 10 * 8
    second = 5 * 8 * 12
    blocks = (3 * 12 * 20 + 20 * 12) + (2 * 12 * 20 + 20 * 12)
    out = 12 * 7
    price = cost("tdnn", shape, frame_shift_ms=10)
    assert price.macs_per_second == pytest.approx(100 * first + 100 / 3 * (second + blocks + out))
    norms, biases = 2 * 12 * 4, 8 + 12 + 2 * (20 + 12) + 7
    assert price.weights == first + second + blocks + out + norms + biases
    rows = 2 * (20 + 12) + 7
    assert price.int8_bytes == blocks + out + 5 * rows + 4 * (first + second + norms + biases)
    assert cost("tdnn", shape, frame_shift_ms=20).macs_per_second == pytest.approx(price.macs_per_second / 2)


@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # said where oneDNN is turned off
@pytest.mark.parametrize("subject", TINY)
def test_torch_counts_the_same(subject: str, tiny: Callable[..., Any]) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    checkpoint = tiny(subject)
    network, counts = checkpoint.restore(), []
    for frames in (24, 48):  # the difference: what came before the file is counted once
        # oneDNN's LSTM is one operation that the counter knows nothing of.
        counter = FlopCounterMode(display=False)
        with torch.backends.mkldnn.flags(enabled=False), torch.no_grad(), counter:
            network(torch.zeros(1, frames, 13))
        counts.append(counter.get_total_flops() / 2)
    price = cost(checkpoint.network, checkpoint.config, frame_shift_ms=10)
    assert price.macs_per_second == pytest.approx((counts[1] - counts[0]) / 0.24)


def test_counting_draws_nothing(tiny: Callable[..., Any]) -> None:
    checkpoint = tiny("tdnn")
    before = torch.random.get_rng_state()
    cost(checkpoint.network, checkpoint.config, frame_shift_ms=10)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("subject", ["tdnn", "lstm"])
def test_bytes_are_those_of_the_int8_graph(subject: str, tiny: Callable[..., Any], tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    from export.convert.onnx import export_step, quantize

    wide = {"hidden": 96} if subject == "lstm" else {"dim": 64, "ff": 96}
    checkpoint = tiny(subject, **wide)
    export_step(checkpoint.restore(), tmp_path / "a.onnx", bins=13, chunk_frames=12)
    quantize(tmp_path / "a.onnx", tmp_path / "b.onnx", keep_float=("first", "second"))
    stored = sum(len(t.raw_data) for t in onnx.load(tmp_path / "b.onnx").graph.initializer)
    price = cost(checkpoint.network, checkpoint.config, frame_shift_ms=10)
    assert price.int8_bytes == pytest.approx(stored, rel=0.03)
