"""The mean of what was heard so far: up to each output, over any number of calls."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="training needs torch (the extra train)")

import torch

from export.net.mean import PRIOR, running_mean


def test_equals_a_plain_loop() -> None:
    torch.manual_seed(1)
    x, total, count = torch.randn(2, 7, 3), torch.randn(2, 3), torch.tensor([[0.0], [12.0]])
    means, after = running_mean(x, total, count)
    assert means.shape == x.shape
    for b in range(2):
        heard = total[b]
        for t in range(7):
            heard = heard + x[b, t]
            torch.testing.assert_close(means[b, t], heard / (float(count[b]) + t + 1 + PRIOR))
        torch.testing.assert_close(after[b], heard)


def test_two_calls_equal_one() -> None:
    x, zeros, none = torch.randn(2, 50, 3), torch.zeros(2, 3), torch.zeros(2, 1)
    whole, end = running_mean(x, zeros, none)
    first, total = running_mean(x[:, :20], zeros, none)
    second, last = running_mean(x[:, 20:], total, none + 20)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(last, end)


def test_the_start_is_silence_and_fades() -> None:
    means, _ = running_mean(torch.ones(1, 3000, 1), torch.zeros(1, 1), torch.zeros(1, 1))
    assert float(means[0, 0]) == pytest.approx(1 / (1 + PRIOR))
    assert float(means[0, -1]) == pytest.approx(1, abs=0.011)


def test_long_streams_are_summed_in_float32() -> None:
    """In bfloat16 a sum of ones would stand still at 256."""
    ones = torch.ones(1, 1000, 1, dtype=torch.bfloat16)
    means, total = running_mean(ones, torch.zeros(1, 1, dtype=torch.bfloat16), torch.zeros(1, 1))
    assert means.dtype == total.dtype == torch.float32
    assert float(total) == 1000
