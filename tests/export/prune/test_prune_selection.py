"""What is worth least goes, the budget is met, and no layer gives more than it can spare."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (the extra train)")

from edge_asr.errors import UsageError  # noqa: E402
from export.batches import collate  # noqa: E402
from export.cache import FeatureSet  # noqa: E402
from export.prune import groups_of  # noqa: E402
from export.prune.cost import cost  # noqa: E402
from export.prune.hearing import Hearing, hear  # noqa: E402
from export.prune.importance import magnitude, taylor  # noqa: E402
from export.prune.selection import at_least, best, per_cost, select  # noqa: E402
from export.prune.sensitivity import Curve, analyse, bounds, render, spared  # noqa: E402
from export.prune.units import Group, cut, narrowed  # noqa: E402


def group(name: str, units: int, layer: int = 0) -> Group:
    return Group(kind=name, layer=layer, units=units, slices=())


def test_the_units_worth_least_go_whichever_layer_they_are_in() -> None:
    groups = [group("a", 4), group("b", 4)]
    worth = {"a 0": np.array([9.0, 1.0, 8.0, 2.0]), "b 0": np.array([7.0, 6.0, 5.0, 3.0])}

    def price(counts: Mapping[str, int]) -> float:
        return 10.0 * counts["a 0"] + counts["b 0"]

    everything = {"a 0": 0.0, "b 0": 0.0}
    kept = select(groups, worth, price=price, limit=24.0, stays=everything)
    assert {name: units.tolist() for name, units in kept.items()} == {"a 0": [0, 2], "b 0": [0, 1, 2, 3]}
    # Those of the cheap layer would have to be worth a tenth to go before.
    kept = select(groups, per_cost(worth, groups, price), price=price, limit=24.0, stays=everything)
    assert kept["a 0"].tolist() == [0, 2]
    with pytest.raises(UsageError, match="the budget is 24, but what must stay costs 44: raise the budget"):
        select(groups, worth, price=price, limit=24.0, stays={"a 0": 1.0, "b 0": 1.0})
    kept = select(groups, worth, price=price, limit=38.0, stays={"a 0": 0.75, "b 0": 0.0})
    assert [len(units) for units in kept.values()] == [3, 4]


@pytest.mark.parametrize(
    ("units", "share", "count"), [(64, 0.3, 24), (64, 0.01, 8), (20, 0.3, 6), (3, 0.1, 1)]
)
def test_widths_are_multiples_but_for_layers_of_few(units: int, share: float, count: int) -> None:
    assert at_least(group("ff", units), share, 8) == count


def test_best_are_those_worth_most() -> None:
    assert best(np.array([3.0, 9.0, 5.0, 9.0]), 2).tolist() == [1, 3]


@pytest.mark.parametrize("measure", ["macs", "bytes"])
@pytest.mark.parametrize("share", [0.9, 0.6])
@pytest.mark.parametrize("subject", ["conformer", "lstm", "lstm-ahead", "tdnn", "tdnnf"])
def test_a_real_budget_is_met_and_nearly_used(
    subject: str, share: float, measure: str, tiny: Callable[..., Any]
) -> None:
    wide = {"tdnn": {"ff": 40}, "tdnnf": {"dim": 24, "bottleneck": 24}, "conformer": {"ff": 64}}
    checkpoint = tiny(subject, **wide.get(subject, {"hidden": 24}))
    groups = groups_of(checkpoint.network, checkpoint.config)

    def price(counts: Mapping[str, int]) -> float:
        config = narrowed(checkpoint.config, groups, {name: np.arange(n) for name, n in counts.items()})
        return cost(checkpoint.network, config, frame_shift_ms=10).of(measure)

    full = price({})
    worth = magnitude(checkpoint.weights, groups)
    kept = select(groups, worth, price=price, limit=share * full, stays={g.name: 0.1 for g in groups})
    pruned = cut(checkpoint, groups, kept)
    got = cost(pruned.network, pruned.config, frame_shift_ms=10).of(measure)
    assert 0.9 * share * full < got <= share * full
    assert sum(w.numel() for w in pruned.weights.values()) < sum(
        w.numel() for w in checkpoint.weights.values()
    )


def test_magnitude_is_the_norm_of_all_that_belongs_to_a_unit(tiny: Callable[..., Any]) -> None:
    checkpoint = tiny("tdnn")
    groups = groups_of("tdnn", checkpoint.config)
    found = magnitude(checkpoint.weights, groups)["ff 1"]
    block = {
        name: checkpoint.weights[f"layers.1.{name}"] for name in ("wide.weight", "wide.bias", "narrow.weight")
    }
    squares = block["wide.weight"].square().sum(1) + block["wide.bias"].square()
    norms = (squares + block["narrow.weight"].square().sum(0)).sqrt()
    np.testing.assert_allclose(found, (norms / norms.mean()).numpy(), rtol=1e-5)


def _items(count: int = 6) -> list[Any]:
    from export.batches import Item

    rng = np.random.default_rng(0)
    features = FeatureSet.of([rng.normal(size=(60 + 6 * i, 13)).astype(np.float32) for i in range(count)])
    return [Item(((features, i),), (1, 2, 3, 2), 1.0) for i in range(count)]


def test_taylor_foretells_what_a_unit_changes(tiny: Callable[..., Any]) -> None:
    """Units are shrunk by a thousandth, each alone: the loss changes by a thousandth of what was foretold."""
    checkpoint = tiny("tdnn")
    groups = groups_of("tdnn", checkpoint.config, ("ff",))
    network = checkpoint.restore()
    batch = collate(_items(), [(i, 0) for i in range(6)], lookahead_frames=10, subsampling=3)

    def loss(log_probs: Any, batch: Any) -> Any:
        return log_probs[..., 1].square().mean()

    found = taylor(network, [batch, batch], loss, groups)
    assert all(p.grad is None for p in network.parameters())
    for part in groups:
        for unit in range(0, part.units, 4):
            changed = {name: w.double().clone() for name, w in checkpoint.weights.items()}
            for piece in part.slices:
                lines = torch.tensor(piece.index[unit])
                changed[piece.weights].index_copy_(
                    piece.axis, lines, changed[piece.weights].index_select(piece.axis, lines) * (1 - 1e-4)
                )
            losses = []
            for weights in (checkpoint.weights, changed):
                double = checkpoint.restore().double()
                double.load_state_dict({name: w.double() for name, w in weights.items()})
                with torch.no_grad():
                    losses.append(float(loss(double(batch.features.double())[0], batch)))
            foretold = 1e-4 * np.sqrt(found[part.name][unit])
            assert abs(losses[1] - losses[0]) == pytest.approx(foretold, rel=0.02, abs=1e-9)
    with pytest.raises(ValueError, match="no batch"):
        taylor(network, [], loss, groups)


def test_a_unit_of_zeros_is_worth_nothing(tiny: Callable[..., Any]) -> None:
    checkpoint = tiny("tdnn")
    checkpoint.weights["layers.0.narrow.weight"][:, 3] = 0.0
    groups = groups_of("tdnn", checkpoint.config)
    batch = collate(_items(), [(0, 0)], lookahead_frames=10, subsampling=3)
    found = taylor(checkpoint.restore(), [batch], lambda log_probs, _: log_probs.square().mean(), groups)
    assert found["ff 0"][3] == 0.0
    assert np.count_nonzero(found["ff 0"]) > 4


def test_hearing_counts_phones(tiny: Callable[..., Any]) -> None:
    from export.score import phone_errors

    network, cpu = tiny("lstm").restore(), torch.device("cpu")
    figures = hear(network, _items(), cpu)
    assert figures.phone_error == pytest.approx(phone_errors(network, _items(), cpu))
    assert figures.loss > 0
    silent = [dataclasses.replace(item, labels=()) for item in _items()]
    assert hear(network, [*_items(), *silent], cpu) == figures


CURVES = [
    Curve(group="a 0", units=8, cut=tuple(Hearing(loss=1 + x, phone_error=0.2) for x in (0.1, 0.3, 1.3))),
    Curve(group="b 0", units=8, cut=tuple(Hearing(loss=1 + x, phone_error=0.2) for x in (0.0, 0.01, 0.02))),
]
WHOLE = Hearing(loss=1.0, phone_error=0.2)


@pytest.mark.parametrize(
    ("loss", "share"), [(0.0, 0.0), (0.05, 0.125), (0.1, 0.25), (0.2, 0.375), (0.8, 0.625), (1.5, 0.8)]
)
def test_what_a_layer_can_spare_lies_on_its_curve(loss: float, share: float) -> None:
    assert spared(WHOLE, CURVES[0], loss) == pytest.approx(share)


def test_the_layer_that_is_missed_less_may_lose_more() -> None:
    groups = [group("a", 8), group("b", 8)]

    def meets(counts: Mapping[str, int]) -> bool:
        return counts["a 0"] + counts["b 0"] <= 10

    stays = bounds(WHOLE, CURVES, groups, meets=meets, least_share=0.1)
    assert stays["b 0"] == 0.1 < 0.5 < stays["a 0"] < 1
    # The bounds leave room to choose in.
    assert 8 * (stays["a 0"] + stays["b 0"]) < 10
    impossible = bounds(WHOLE, CURVES, groups, meets=lambda _: False, least_share=0.1)
    assert {*impossible.values()} == {0.1}


def test_each_layer_is_cut_alone(tiny: Callable[..., Any]) -> None:
    checkpoint = tiny("tdnn")
    groups = groups_of("tdnn", checkpoint.config, ("ff", "taps"))
    items, cpu = _items(), torch.device("cpu")
    worth = magnitude(checkpoint.weights, groups)
    whole, curves = analyse(checkpoint, groups, worth, items, cpu)
    assert whole == hear(checkpoint.restore(), items, cpu)
    assert [curve.group for curve in curves] == [g.name for g in groups]
    half = cut(checkpoint, groups, {"ff 1": best(worth["ff 1"], 6)})
    assert curves[1].cut[1] == hear(half.restore(), items, cpu)
    table = render(whole, curves)
    assert len(table.splitlines()) == 2 + len(groups)
    assert f"{curves[1].cut[1].loss:.3f} ({curves[1].cut[1].phone_error:.1%})" in table
