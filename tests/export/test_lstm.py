"""The LSTM with look-ahead: a stream equals its file, and what lies ahead is heard."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="training needs torch (the extra train)")

import torch

from edge_asr.errors import UsageError
from export.net import create_network
from export.net.lstm import LstmConfig, LstmCtc

AHEAD = (2, 1)


def _network(ahead: tuple[int, ...] = AHEAD) -> LstmCtc:
    torch.manual_seed(3)
    config = LstmConfig(bins=5, outputs=4, channels=6, hidden=7, layers=2, ahead=ahead, lookahead_frames=12)
    return LstmCtc(config).eval()


@pytest.mark.parametrize("ahead", [(), AHEAD])
@pytest.mark.parametrize("chunk", [3, 6, 12])
def test_stream_equals_file(ahead: tuple[int, ...], chunk: int) -> None:
    network = _network(ahead)
    x = torch.randn(36, 5)
    with torch.inference_mode():
        whole, end = network(x[None])
        states = [torch.zeros(shape) for shape in network.state_shapes().values()]
        parts = []
        for start in range(0, 36, chunk):
            part, *states = network.step(x[start : start + chunk], *states)
            parts.append(part)
    torch.testing.assert_close(torch.cat(parts), whole[0], atol=1e-5, rtol=0)
    for state, last, (name, shape) in zip(states, end, network.state_shapes().items(), strict=True):
        assert state.shape == shape, name
        torch.testing.assert_close(state, last[:, 0] if name in ("hidden", "cell") else last[0])


def test_each_layer_adds_to_what_lies_its_look_ahead_back() -> None:
    """Without what it learned the network is a delay by all look-aheads."""
    network = _network()
    with torch.no_grad():
        for module in (*network.ahead, *network.lstms):
            for weights in module.parameters():
                weights.zero_()
        impulse = torch.zeros(1, 30, 5)
        impulse[0, 8] = 10.0
        changed = (network(impulse)[0] - network(torch.zeros(1, 30, 5))[0]).abs().amax(dim=2)[0]
    heard = changed.nonzero().flatten().tolist()
    assert heard[0] == 8 // 3 + sum(AHEAD), "output 8 // 3 is the first whose splice holds frame 8"


def test_gradients_reach_every_weight() -> None:
    network = _network().train()
    network(torch.randn(2, 30, 5))[0].square().sum().backward()
    assert all(w.grad is not None and bool(w.grad.any()) for w in network.parameters())


def test_weights_have_the_names_of_stored_checkpoints() -> None:
    names = {name.rpartition(".")[0] for name in _network().state_dict()}
    layers = {f"{kind}.{i}" for kind in ("ahead", "ahead_norms", "lstms") for i in (0, 1)}
    assert names == {"first", "second", "norms.0", "norms.1", "norms.2", "out", *layers}


@pytest.mark.parametrize("ahead", [[1], [1, 0], [3, 2]])
def test_impossible_look_ahead_is_refused(ahead: list[int]) -> None:
    settings = {"bins": 5, "outputs": 4, "layers": 2, "ahead": ahead, "lookahead_frames": 12}
    with pytest.raises(UsageError, match="ahead"):
        create_network("lstm", settings)
