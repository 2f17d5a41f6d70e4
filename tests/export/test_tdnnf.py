"""The factorised time-delay network: its contexts, and bottlenecks that become semi-orthogonal."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs torch (the extra train)")

import torch

from edge_asr.errors import UsageError
from export.net import create_network
from export.net.network import Constrained
from export.net.tdnnf import BYPASS, TdnnfConfig, TdnnfCtc, nearer_to_semi_orthogonal

CONTEXTS = ((1, 1), (3, 0), (0, 2), (2, 1))
BACK, AHEAD = 6, 4


def _network() -> TdnnfCtc:
    torch.manual_seed(3)
    shape: dict[str, Any] = {"bins": 5, "outputs": 4, "channels": 16, "dim": 16, "bottleneck": 12}
    return TdnnfCtc(TdnnfConfig(**shape, contexts=CONTEXTS, lookahead_frames=12)).eval()


def _distance(weights: torch.Tensor) -> float:
    """Largest difference of M M^T from a multiple of the identity, per that multiple."""
    product = weights @ weights.T
    scale = product.diagonal().mean()
    return float((product / scale - torch.eye(len(product))).abs().max())


def test_an_output_hears_exactly_its_contexts() -> None:
    x = torch.randn(8, 90, 5, requires_grad=True)
    _network()(x)[0][:, 20].square().sum().backward()
    assert x.grad is not None
    heard = x.grad.abs().sum(dim=(0, 2)).nonzero().flatten().tolist()
    first, last = 3 * (20 - AHEAD - BACK) - 6, 3 * 20 + 2
    assert heard == list(range(first, last + 1))


def test_the_bypass_is_as_late_as_the_layers() -> None:
    """Without what it learned the network is its front, a delay and a gain."""
    network = _network()
    kept: list[torch.Tensor] = []
    network.out.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    network.front_norm.register_forward_hook(lambda *given: kept.append(given[2]))
    with torch.no_grad():
        for layer in network.layers:
            layer.affine.weight.zero_()
            layer.affine.bias.zero_()
        network(torch.randn(1, 60, 5))
    front, last = kept
    torch.testing.assert_close(last[:, AHEAD:], BYPASS ** len(CONTEXTS) * front[:, :-AHEAD])


def test_constraint_makes_bottlenecks_semi_orthogonal_and_nothing_else() -> None:
    network = _network()
    before = {name: weights.detach().clone() for name, weights in network.named_parameters()}
    assert isinstance(network, Constrained)
    assert min(_distance(layer.bottleneck.weight.detach()) for layer in network.layers) > 0.1
    for _ in range(60):
        network.constrain()
    assert max(_distance(layer.bottleneck.weight.detach()) for layer in network.layers) < 1e-4
    changed = [name for name, w in network.named_parameters() if not torch.equal(w, before[name])]
    assert changed == [f"layers.{i}.bottleneck.weight" for i in range(len(CONTEXTS))]
    assert all(weights.requires_grad for weights in network.parameters())


@pytest.mark.parametrize("length", [0.1, 1.0, 30.0])
def test_the_length_of_a_semi_orthogonal_matrix_is_free(length: float) -> None:
    weights = length * torch.linalg.qr(torch.randn(20, 8))[0].T
    torch.testing.assert_close(nearer_to_semi_orthogonal(weights), weights, atol=1e-5 * length, rtol=0)


def test_one_step_is_the_papers() -> None:
    """Near the goal M goes to M - 1/2 (P / s^2 - I) M; written out with numbers: P = diag(1.1, 1)."""
    weights = torch.tensor([[1.1**0.5, 0.0, 0.0], [0.0, 1.0, 0.0]])
    scale = (1.1**2 + 1) / (1.1 + 1)
    expected = weights - 0.5 * torch.diag(torch.tensor([1.1 / scale - 1, 1 / scale - 1])) @ weights
    torch.testing.assert_close(nearer_to_semi_orthogonal(weights), expected)


def test_far_from_the_goal_it_does_not_overshoot() -> None:
    """One eigenvalue of 17 among 255 ones is 8.5 times the scale: an undamped step overshoots to 129."""
    weights = torch.eye(256)
    weights[0, 0] = 17**0.5
    distances = [_distance(weights)]
    for _ in range(40):
        weights = nearer_to_semi_orthogonal(weights)
        distances.append(_distance(weights))
    assert distances[1] < 0.5 * distances[0]
    assert distances[-1] < 1e-4


def test_a_matrix_of_zeros_stays() -> None:
    assert torch.equal(nearer_to_semi_orthogonal(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lookahead_frames": 31}, "lookahead_frames must be at most 30, got 31"),
        ({"lookahead_frames": 30, "contexts": [[1, 1]] * 11}, "look 33 frames ahead, more than .* 30"),
        ({"contexts": []}, "got none"),
        ({"dim": 16, "bottleneck": 17}, "bottleneck must be at most dim, 16, got 17"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        create_network("tdnnf", {"bins": 5, "outputs": 4, **change})


def test_thirty_frames_are_allowed() -> None:
    contexts = [[1, 1]] * 10
    network = create_network("tdnnf", {"bins": 5, "outputs": 4, "contexts": contexts, "lookahead_frames": 30})
    assert network.lookahead_frames == 30
