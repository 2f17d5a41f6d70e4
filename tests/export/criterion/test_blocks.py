"""Blocks of frames at once find what one frame after another does."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from export.criterion.blocks import chain_occupancies  # noqa: E402
from export.criterion.denominator import Denominator  # noqa: E402

TOKENS = 12


def denominator(seed: int) -> Denominator:
    rng = np.random.default_rng(seed)
    return Denominator(rng.dirichlet(np.full(TOKENS, 0.1), size=TOKENS) * 0.99 + 0.01 / TOKENS)


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 16, 17, 150])
@pytest.mark.parametrize("sureness", [0.5, 8.0, 30.0])
def test_a_bigram_has_the_same_total_and_occupancies(frames: int, sureness: float) -> None:
    torch.manual_seed(frames)
    log_probs = (sureness * torch.randn(5, frames, TOKENS)).log_softmax(dim=2)
    lengths = torch.randint((frames + 1) // 2, frames + 1, (5,))
    lengths[0] = frames
    bigram = denominator(frames)
    log_z, expected = bigram.occupancies(log_probs, lengths)
    in_blocks = bigram.block_occupancies(log_probs, lengths)
    torch.testing.assert_close(in_blocks[0], log_z, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(in_blocks[1], expected, rtol=1e-4, atol=1e-4)


def test_shares_are_those_of_all_sequences_counted_one_by_one() -> None:
    """Three states, seven frames: 3^7 sequences, of which each has its product of weights."""
    rng = np.random.default_rng(4)
    moves, weights = rng.random((3, 3)), rng.random((1, 7, 3))
    start, ending = rng.random(3), rng.random(3)
    total, share = 0.0, np.zeros((7, 3))
    for sequence in np.ndindex(*(3,) * 7):
        weight = start @ moves[:, sequence[0]] * weights[0, 0, sequence[0]]
        for t in range(1, 7):
            weight *= moves[sequence[t - 1], sequence[t]] * weights[0, t, sequence[t]]
        weight *= ending[sequence[-1]]
        total += weight
        share[np.arange(7), sequence] += weight
    given = [torch.from_numpy(each) for each in (moves, weights, start, ending)]
    log_total, shares = chain_occupancies(*given)
    np.testing.assert_allclose(log_total.numpy(), [np.log(total)], rtol=1e-9)
    np.testing.assert_allclose(shares[0].numpy(), share / total, rtol=1e-9)


def test_long_stretches_do_not_underflow() -> None:
    """A thousand frames whose best path has a probability of far less than the least number."""
    log_probs = (40 * torch.randn(2, 1000, TOKENS)).log_softmax(dim=2)
    log_z, expected = denominator(1).block_occupancies(log_probs, torch.tensor([1000, 3]))
    assert torch.isfinite(log_z).all()
    torch.testing.assert_close(expected[0].sum(dim=1), torch.ones(1000), rtol=1e-4, atol=1e-4)
    assert (expected[1, 3:] == 0).all()
