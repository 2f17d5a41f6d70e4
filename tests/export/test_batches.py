"""Batches: bounded, complete, fair between processes."""

from __future__ import annotations

import numpy as np
import pytest

from export.batches import Item, collate, plan_epoch, take_turns
from export.cache import FeatureSet

pytest.importorskip("torch", reason="training needs torch")


def items(lengths: list[int], weight: float = 1.0, variants: int = 1) -> list[Item]:
    sets = [
        FeatureSet.of(np.full((n, 3), i + 1, dtype=np.float32) for i, n in enumerate(lengths))
        for _ in range(variants)
    ]
    return [Item(tuple((s, i) for s in sets), (1, 2), weight) for i in range(len(lengths))]


def test_an_epoch_hears_each_utterance_once_within_the_batch_size() -> None:
    corpus = items([10, 200, 30, 90, 100, 5, 70, 150])
    plan = plan_epoch(corpus, epoch=0, seed=1, batch_frames=220, processes=1)
    assert sorted(i for batch in plan for i, _ in batch) == list(range(len(corpus)))
    for batch in plan:
        lengths = [len(corpus[i].features(v)) for i, v in batch]
        assert len(batch) == 1 or max(lengths) * len(lengths) <= 220


def test_weights_are_shares_of_epochs() -> None:
    corpus = items([10] * 400, weight=0.3) + items([10] * 100, weight=2.0, variants=3)
    plan = plan_epoch(corpus, epoch=0, seed=1, batch_frames=1000, processes=1)
    heard = [pair for batch in plan for pair in batch]
    seldom = [i for i, _ in heard if i < 400]
    often = [pair for pair in heard if pair[0] >= 400]
    assert 80 <= len(seldom) <= 160
    # Heard twice in one epoch, an utterance comes at two speeds.
    assert len(often) == len(set(often)) == 200


def test_epochs_differ_and_repeat_by_seed() -> None:
    corpus = items(list(range(10, 60)), variants=2)
    arguments = {"seed": 1, "batch_frames": 300, "processes": 1}
    first = plan_epoch(corpus, epoch=0, **arguments)
    assert first == plan_epoch(corpus, epoch=0, **arguments)
    assert first != plan_epoch(corpus, epoch=1, **arguments)


def test_processes_share_an_epoch_evenly() -> None:
    corpus = items(list(range(10, 47)))
    plan = plan_epoch(corpus, epoch=0, seed=1, batch_frames=100, processes=2)
    mine, yours = list(take_turns(plan, 0, 2)), list(take_turns(plan, 1, 2))
    assert len(mine) == len(yours)
    assert not {i for b in mine for i, _ in b} & {i for b in yours for i, _ in b}


def test_collate_pads_with_zeros_for_the_look_ahead() -> None:
    corpus = items([7, 4])
    batch = collate(corpus, [(0, 0), (1, 0)], lookahead_frames=3, subsampling=3)
    assert batch.features.shape == (2, 12, 3)
    assert batch.lengths.tolist() == [7, 4]
    assert batch.features[1, 4:].abs().max() == 0
    assert batch.labels.tolist() == [1, 2, 1, 2]


def test_dropped_first_frames_never_empty_an_utterance() -> None:
    corpus = items([1, 2, 3])
    rng = np.random.default_rng(0)
    for _ in range(20):
        batch = collate(corpus, [(0, 0), (1, 0), (2, 0)], lookahead_frames=0, subsampling=3, rng=rng)
        assert batch.lengths.min() >= 1
