"""Units of every network: cut out, nothing is left of them, and what is left is an ordinary network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")

from prunable import TINY  # noqa: E402

from edge_asr.acoustic.chunking import AcousticModel  # noqa: E402
from edge_asr.errors import UsageError  # noqa: E402
from export.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from export.net import NETWORKS  # noqa: E402
from export.net.engine import TorchEngine, acoustic_config, whole_file  # noqa: E402
from export.prune import GROUPS, groups_of, parts_of  # noqa: E402
from export.prune.units import Group, cut  # noqa: E402

BINS = 13
EXACT = ("channels", "ff", "bottleneck", "heads", "taps")
"""Kinds that are not normalised together with what stays."""


def every_group(checkpoint: Any) -> list[Group]:
    return groups_of(checkpoint.network, checkpoint.config, parts_of(checkpoint.network, checkpoint.config))


def features(frames: int = 61) -> Any:
    return np.random.default_rng(frames).normal(size=(frames, BINS)).astype(np.float32)


def alternate(groups: list[Group]) -> dict[str, Any]:
    """Some of each group: of more the later the group comes, so that layers differ."""
    return {g.name: np.arange(g.units)[: max(1, g.units - 1 - i % 3)] for i, g in enumerate(groups)}


def test_every_network_says_what_its_units_are() -> None:
    assert GROUPS.keys() == NETWORKS.keys()


@pytest.mark.parametrize("subject", TINY)
def test_slices_name_all_lines_of_a_unit_and_no_other(subject: str, tiny: Callable[..., Any]) -> None:
    checkpoint = tiny(subject)
    for group in every_group(checkpoint):
        for part in group.slices:
            places = part.index.ravel()
            size = checkpoint.weights[part.weights].shape[part.axis]
            assert part.index.shape[0] == group.units
            assert len({*places.tolist()}) == len(places)
            assert places.min() >= 0 and places.max() < size, (group.name, part.weights)
            # A mean has columns behind those of the taps.
            if group.kind != "taps":
                assert len(places) == size, (group.name, part.weights)


@pytest.mark.parametrize("subject", TINY)
def test_units_of_zeros_are_not_missed(subject: str, tiny: Callable[..., Any]) -> None:
    whole = tiny(subject)
    groups = [g for g in every_group(whole) if g.kind in EXACT]
    kept = alternate(groups)
    weights = {name: w.clone() for name, w in whole.weights.items()}
    for group in groups:
        for unit in sorted({*range(group.units)} - {*kept[group.name].tolist()}):
            for part in group.slices:
                weights[part.weights].index_fill_(part.axis, torch.tensor(part.index[unit]), 0.0)
    zeroed = dataclasses.replace(whole, weights=weights)
    pruned = cut(zeroed, groups, kept)
    assert sum(w.numel() for w in pruned.weights.values()) < sum(w.numel() for w in weights.values())
    expected, got = (whole_file(c.restore(), features()) for c in (zeroed, pruned))
    # The same products, but for those with zero; their sums are taken in another order.
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert np.abs(got - whole_file(whole.restore(), features())).max() > 1e-3


@pytest.mark.parametrize("subject", TINY)
def test_a_unit_that_counts_is_missed(subject: str, tiny: Callable[..., Any]) -> None:
    whole = tiny(subject)
    expected = whole_file(whole.restore(), features())
    for group in every_group(whole):
        if group.units > 1:
            pruned = cut(whole, every_group(whole), {group.name: np.arange(1, group.units)})
            assert np.abs(whole_file(pruned.restore(), features()) - expected).max() > 1e-5, group.name


@pytest.mark.parametrize("subject", TINY)
def test_cells_that_stay_answer_as_before_where_the_others_are_not_heard(
    subject: str, tiny: Callable[..., Any]
) -> None:
    """What a normalisation does with them comes later."""
    if not subject.startswith("lstm"):
        pytest.skip("no cells")
    whole = tiny(subject)
    for layer in range(2):
        whole.weights[f"lstms.{layer}.weight_hh_l0"][:, 5:] = 0.0
        whole.weights[f"lstms.{layer}.weight_ih_l0"][:, 5:] = 0.0
    groups = [g for g in every_group(whole) if g.kind in ("hidden", "front")]
    pruned = cut(whole, groups, {g.name: np.arange(5) for g in groups})
    x = torch.randn(1, 9, 8)
    expected, _ = whole.restore().lstms[1](x)
    got, _ = pruned.restore().lstms[1](x[..., :5])
    torch.testing.assert_close(got, expected[..., :5], atol=1e-6, rtol=0)


@pytest.mark.parametrize("subject", TINY)
def test_a_stream_of_a_pruned_network_equals_its_file(subject: str, tiny: Callable[..., Any]) -> None:
    groups = every_group(tiny(subject))
    network = cut(tiny(subject), groups, alternate(groups)).restore()
    config = acoustic_config(network, graph="none", chunk_frames=12)
    model = AcousticModel(TorchEngine(network, config, bins=BINS), config)
    streamed = np.concatenate([model.push(features()), model.flush()])
    np.testing.assert_allclose(streamed, whole_file(network, features()), atol=2e-5)


@pytest.mark.parametrize("subject", TINY)
def test_a_pruned_checkpoint_is_one_like_any(subject: str, tiny: Callable[..., Any], tmp_path: Path) -> None:
    """Saved and read, cut again, exported to both graphs, and found again in the int8 one."""
    pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    from export.convert.onnx import export_step, quantize
    from export.unpack import graph_weights

    groups = every_group(tiny(subject))
    pruned = cut(tiny(subject), groups, alternate(groups))
    save_checkpoint(tmp_path / "model.pt", pruned)
    read = load_checkpoint(tmp_path / "model.pt")
    assert read.config == pruned.config
    again = every_group(read)
    assert [g.units for g in again] == [len(alternate(groups)[g.name]) for g in groups]
    export_step(read.restore(), tmp_path / "a.onnx", bins=BINS, chunk_frames=12)
    quantize(tmp_path / "a.onnx", tmp_path / "b.onnx")
    found = graph_weights(tmp_path / "b.onnx")
    assert {n: w.shape for n, w in found.items()} == {n: w.shape for n, w in read.weights.items()}


def test_nothing_of_a_layer_is_too_little(tiny: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="ff 0: nothing would be left"):
        cut(tiny("tdnn"), every_group(tiny("tdnn")), {"ff 0": np.array([], dtype=np.int64)})


def test_costly_parts_are_cut_on_demand_only(tiny: Callable[..., Any]) -> None:
    config = tiny("tdnn").config
    assert {g.kind for g in groups_of("tdnn", config)} == {"channels", "ff"}
    assert {g.kind for g in groups_of("tdnn", config, ("dim",))} == {"dim"}
    with pytest.raises(UsageError, match="'tdnn' has no part 'heads'; parts: channels, ff, taps, dim"):
        groups_of("tdnn", config, ("heads",))
    with pytest.raises(UsageError, match="network 'brain' cannot be pruned; those that can: conformer"):
        groups_of("brain", {})


@pytest.mark.parametrize(
    ("subject", "changes", "message"),
    [
        ("tdnn", {"ff": [4, 4]}, "ff must be a number, or a list of 3, got 2"),
        ("tdnn", {"ff": [4, 0, 4]}, "ff must be whole numbers from 1 on"),
        ("tdnn", {"taps": [[0]]}, "taps must hold 3 lists, one a block, got 1"),
        ("tdnn", {"taps": [[0, 1], [2], [0]]}, r"taps of context \(3, 0\) must be of \[0, 3\], got \[2\]"),
        ("tdnnf", {"bottleneck": [4, 9, 4]}, "bottleneck must be at most dim, 8, got 9"),
        ("lstm-ahead", {"hidden": [8, 6]}, "front and hidden must be one number, got \\[8, 8, 6\\]"),
        ("lstm", {"front": -1}, "front must be at least 0, got -1"),
        ("conformer", {"heads": [2, 1]}, "head_dim must be given where blocks differ in heads"),
        ("conformer", {"ff": [4, 4]}, "ff must be a number, or a list of 4, got 2"),
    ],
)
def test_impossible_widths_are_refused(
    subject: str, changes: dict[str, Any], message: str, tiny: Callable[..., Any]
) -> None:
    with pytest.raises(UsageError, match=message):
        tiny(subject, **changes)
