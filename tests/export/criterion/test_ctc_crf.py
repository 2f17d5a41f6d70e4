"""The denominator equals the sum over all paths, written out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from export.criterion.denominator import Denominator  # noqa: E402
from export.criterion.phone_lm import phone_ngram  # noqa: E402
from export.score import collapse  # noqa: E402

TOKENS = 4
SEQUENCES = [[1, 2, 3], [2, 2], [3, 1, 1, 2], [], [1]]


def sequence_probability(ngram: np.ndarray, phones: list[int]) -> float:
    order = ngram.ndim
    padded = [0] * (order - 1) + [*phones, 0]
    return math.prod(float(ngram[tuple(padded[i : i + order])]) for i in range(len(padded) - order + 1))


def written_out(ngram: np.ndarray, log_probs: np.ndarray) -> float:
    frames = len(log_probs)
    total = 0.0
    for path in itertools.product(range(TOKENS), repeat=frames):
        score = sum(log_probs[t, token] for t, token in enumerate(path))
        total += math.exp(score) * sequence_probability(ngram, collapse(np.array(path)))
    return math.log(total)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_equals_the_sum_over_all_paths(order: int, frames: int) -> None:
    ngram = phone_ngram(SEQUENCES, tokens=TOKENS, order=order)
    logits = torch.randn(2, frames + 2, TOKENS, generator=torch.Generator().manual_seed(frames)) * 2
    log_probs = torch.log_softmax(logits, dim=-1)
    lengths = torch.tensor([frames, max(1, frames - 1)])
    ours = Denominator(ngram)(log_probs, lengths)
    expected = [
        written_out(ngram, row[:n].double().numpy()) for row, n in zip(log_probs, lengths, strict=True)
    ]
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("order", [2, 3])
def test_gradient_is_the_expected_occupation(order: int) -> None:
    """d log Z / d log y is how often each token is expected: it sums to one in every frame."""
    ngram = phone_ngram(SEQUENCES, tokens=TOKENS, order=order)
    logits = torch.randn(1, 6, TOKENS, generator=torch.Generator().manual_seed(0))
    log_probs = torch.log_softmax(logits, dim=-1).requires_grad_()
    Denominator(ngram)(log_probs, torch.tensor([4])).sum().backward()
    occupation = log_probs.grad[0]
    assert occupation[4:].abs().max() == 0
    np.testing.assert_allclose(occupation[:4].sum(dim=1), np.ones(4), rtol=1e-5)
    step = 1e-3
    for t, token in [(0, 1), (2, 0), (3, 3)]:
        up, down = log_probs.detach().clone(), log_probs.detach().clone()
        up[0, t, token] += step
        down[0, t, token] -= step
        slope = written_out(ngram, up[0, :4].double().numpy()) - written_out(
            ngram, down[0, :4].double().numpy()
        )
        assert slope / (2 * step) == pytest.approx(float(occupation[t, token]), abs=1e-3)


def test_long_utterances_neither_overflow_nor_vanish() -> None:
    ngram = phone_ngram(SEQUENCES, tokens=TOKENS, order=3)
    log_probs = torch.log_softmax(torch.randn(3, 1500, TOKENS) * 8, dim=-1)
    assert torch.isfinite(Denominator(ngram)(log_probs, torch.tensor([1500, 10, 700]))).all()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_ngram_rows_sum_to_one_and_never_vanish(order: int) -> None:
    ngram = phone_ngram(SEQUENCES, tokens=TOKENS, order=order)
    assert ngram.shape == (TOKENS,) * order
    np.testing.assert_allclose(ngram.sum(axis=-1), 1.0)
    assert ngram.min() > 0


def test_ngram_follows_the_counts() -> None:
    ngram = phone_ngram([[1, 2]] * 50, tokens=TOKENS, order=2)
    assert ngram[1, 2] > 0.95
    assert ngram[2, 0] > 0.95
    assert ngram[0, 1] > 0.95


def test_ngram_refuses_blank_as_a_phone() -> None:
    with pytest.raises(ValueError, match=r"1\.\.3"):
        phone_ngram([[0, 1]], tokens=TOKENS, order=2)
