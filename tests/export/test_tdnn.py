"""The time-delay network: it hears what its contexts say, no more, and adds to the right outputs."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs torch (the extra train)")

import torch

from edge_asr.errors import UsageError
from export.net import create_network
from export.net.tdnn import TdnnConfig, TdnnCtc

CONTEXTS = ((1, 1), (3, 0), (0, 2), (2, 1))
BACK, AHEAD = 6, 4


def _network(**changes: Any) -> TdnnCtc:
    torch.manual_seed(3)
    shape: dict[str, Any] = {"bins": 5, "outputs": 4, "channels": 16, "dim": 16, "ff": 32, **changes}
    return TdnnCtc(TdnnConfig(**shape, contexts=CONTEXTS, lookahead_frames=12)).eval()


def test_an_output_hears_exactly_its_contexts() -> None:
    x = torch.randn(8, 90, 5, requires_grad=True)
    _network()(x)[0][:, 20].square().sum().backward()
    assert x.grad is not None
    heard = x.grad.abs().sum(dim=(0, 2)).nonzero().flatten().tolist()
    # Output 20 is about output 20 - AHEAD; the front adds six frames of the past.
    first, last = 3 * (20 - AHEAD - BACK) - 6, 3 * 20 + 2
    assert heard == list(range(first, last + 1))


def test_a_block_that_listens_hears_everything_before() -> None:
    x = torch.randn(8, 90, 5, requires_grad=True)
    _network(mean_every=4)(x)[0][:, 20].square().sum().backward()
    assert x.grad is not None
    heard = x.grad.abs().sum(dim=(0, 2)).nonzero().flatten().tolist()
    assert heard == list(range(3 * 20 + 3))


@pytest.mark.parametrize(
    ("mean_every", "listening"), [(0, []), (1, [0, 1, 2, 3]), (2, [1, 3]), (3, [0, 3]), (9, [3])]
)
def test_every_so_many_blocks_listen_the_last_one_among_them(mean_every: int, listening: list[int]) -> None:
    network = _network(mean_every=mean_every)
    assert [i for i, block in enumerate(network.layers) if block.listens] == listening
    shapes = network.state_shapes()
    assert shapes.get("heard") == ((len(listening), 16) if listening else None)
    assert shapes.get("count") == ((1,) if listening else None)


def test_a_negative_mean_every_is_refused() -> None:
    with pytest.raises(UsageError, match="mean_every must be at least 0, got -1"):
        create_network("tdnn", {"bins": 5, "outputs": 4, "mean_every": -1})


def test_blocks_add_to_what_lies_their_look_ahead_back() -> None:
    """Without what it learned the network is its front and a delay."""
    network = _network()
    with torch.no_grad():
        for block in network.layers:
            block.narrow.weight.zero_()
        impulse = torch.zeros(1, 60, 5)
        impulse[0, 8] = 10.0
        changed = (network(impulse)[0] - network(torch.zeros(1, 60, 5))[0]).abs().amax(dim=2)[0]
    heard = (changed > 1e-6).nonzero().flatten().tolist()
    assert heard == [t + AHEAD for t in (2, 3, 4)], "the splices of outputs 2 to 4 hold frame 8"


def test_default_has_as_many_weights_as_it_says() -> None:
    network = TdnnCtc(TdnnConfig(bins=40, outputs=40))
    assert sum(w.numel() for w in network.parameters()) == pytest.approx(3.9e6, rel=0.02)


@pytest.mark.parametrize(
    ("contexts", "message"),
    [
        ([], "got none"),
        ([[1]], r"got \(1,\)"),
        ([[1, 1, 1]], r"got \(1, 1, 1\)"),
        ([[1, 1], [-1, 1]], r"got \(-1, 1\)"),
        ([[0, 0]], r"got \(0, 0\)"),
        ([[1, 4]] * 2, "look 24 frames ahead, more than lookahead_frames, 23"),
    ],
)
def test_impossible_contexts_are_refused(contexts: list[list[int]], message: str) -> None:
    settings = {"bins": 5, "outputs": 4, "contexts": contexts, "lookahead_frames": 23}
    with pytest.raises(UsageError, match=message):
        create_network("tdnn", settings)


def test_dropout_of_everything_is_refused() -> None:
    with pytest.raises(UsageError, match=r"dropout must lie in \[0, 1\), got 1"):
        create_network("tdnn", {"bins": 5, "outputs": 4, "dropout": 1.0})
