"""The chunked Conformer: what an output hears, and that it takes its own chunks only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs torch (the extra train)")

import torch

from edge_asr.errors import UsageError
from export.net import create_network
from export.net.conformer import ConformerConfig, ConformerCtc

CHUNK, LEFT, KERNEL = 4, 6, 3
TINY: dict[str, Any] = {"bins": 5, "outputs": 4, "channels": 16, "dim": 16, "heads": 2, "ff": 24}


def _network(layers: int = 1) -> ConformerCtc:
    torch.manual_seed(3)
    shape = {"kernel": KERNEL, "chunk_outputs": CHUNK, "left_outputs": LEFT, "layers": layers}
    return ConformerCtc(ConformerConfig(**TINY, **shape)).eval()


def _heard(network: ConformerCtc, output: int) -> list[int]:
    """Frames that the output depends on."""
    x = torch.randn(8, 108, 5, requires_grad=True)
    network(x)[0][:, output].square().sum().backward()
    assert x.grad is not None
    heard: list[int] = x.grad.abs().sum(dim=(0, 2)).nonzero().flatten().tolist()
    return heard


@pytest.mark.parametrize("output", range(24, 28))
def test_an_output_hears_its_chunk_and_what_is_left_of_it(output: int) -> None:
    # The convolution follows attention: its oldest input has seen the chunk that it lies in.
    chunk = (output - KERNEL + 1) // CHUNK
    first, last = 3 * (CHUNK * chunk - LEFT) - 6, 3 * 28 - 1
    assert _heard(_network(), output) == list(range(first, last + 1))


@pytest.mark.parametrize("output", [24, 27])
def test_more_layers_do_not_look_beyond_the_chunk(output: int) -> None:
    assert _heard(_network(layers=3), output)[-1] == 3 * 28 - 1


def test_every_distance_has_its_bias() -> None:
    network = _network()
    network(torch.randn(2, 48, 5))[0].square().sum().backward()
    grad = network.blocks[0].attention.distances.grad
    assert grad.shape == (2, LEFT + 2 * CHUNK - 1)
    assert bool((grad != 0).all())


def test_a_bias_is_that_of_one_distance() -> None:
    """Queries say nothing, the distance of two is preferred: each output hears the one two before it."""
    network = _network()
    attention = network.blocks[0].attention
    with torch.no_grad():
        attention.ask.weight.zero_()
        attention.ask.bias.zero_()
        attention.distances[:, 2 + CHUNK - 1] = 50.0
        given: list[torch.Tensor] = []
        attention.norm.register_forward_hook(lambda *said: given.append(said[2]))
        x = torch.randn(1, 2 * CHUNK, 16)
        heard, *_ = attention(x, torch.zeros(1, LEFT, 16), torch.zeros(1, LEFT, 16))
        expected = attention.out(attention.give(given[0]))
    torch.testing.assert_close(heard[:, 2:], expected[:, :-2])


def test_default_has_as_many_weights_as_it_says() -> None:
    network = ConformerCtc(ConformerConfig(bins=40, outputs=40))
    assert sum(w.numel() for w in network.parameters()) == pytest.approx(3.9e6, rel=0.02)


@pytest.mark.parametrize("frames", [3, 24])
def test_a_step_of_another_length_is_an_error(frames: int) -> None:
    network = _network()
    states = [torch.zeros(shape) for shape in network.state_shapes().values()]
    with pytest.raises(ValueError, match=f"chunk of 12 frames, got {frames}"):
        network.step(torch.zeros(frames, 5), *states)


def test_conversion_takes_its_own_chunk_or_says_which(
    tmp_path: Path, tiny_checkpoint: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    from export.__main__ import main
    from export.checkpoint import save_checkpoint
    from export.rundir import GRAPH, INT8_GRAPH, RunDir

    config = {**TINY, "bins": 13, "outputs": 6, "layers": 1, "chunk_outputs": 5}
    weights = create_network("conformer", config).state_dict()
    save_checkpoint(tmp_path / "model.pt", tiny_checkpoint(weights, network="conformer", config=config))
    assert main(["convert", str(tmp_path), "--chunk-frames", "12"]) == UsageError.exit_code
    assert "chunk frames must be 15, got 12: this network was trained on chunks" in capsys.readouterr().err
    assert not (tmp_path / GRAPH).exists()
    assert main(["convert", str(tmp_path)]) == 0
    for graph in (GRAPH, INT8_GRAPH):
        assert RunDir.load(tmp_path).engine(graph)[1].chunk_frames == 15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": 10, "heads": 4}, "dim must be a multiple of heads, 4, got 10"),
        ({"layers": 0}, "layers must be at least 1, got 0"),
        ({"kernel": 1}, "kernel must be at least 2, got 1"),
        ({"chunk_outputs": 0}, "chunk_outputs must be at least 1, got 0"),
        ({"left_outputs": 0}, "left_outputs must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        create_network("conformer", {"bins": 5, "outputs": 4, **change})
