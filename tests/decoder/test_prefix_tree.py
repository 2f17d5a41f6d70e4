from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.prefix_tree import ROOT, PrefixTree


@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(0, 3))
def test_the_same_sequence_has_the_same_number(rng: random.Random, width: int, every: int) -> None:
    """A beam that wanders through sequences of two tokens, now and then forgetting all that is not in it."""
    tree = PrefixTree(3)
    beam: dict[tuple[int, ...], int] = {(): ROOT}
    for step in range(12):
        grown = [(prefix, token) for prefix in beam for token in (1, 2) if rng.random() < 0.6]
        nodes = tree.children(
            np.array([beam[prefix] for prefix, _ in grown], dtype=np.int64),
            np.array([token for _, token in grown], dtype=np.int64),
        )
        for (prefix, token), node in zip(grown, nodes.tolist(), strict=True):
            assert beam.setdefault((*prefix, token), node) == node
            assert node > beam[prefix]
        assert len(set(beam.values())) == len(beam)
        beam = dict(rng.sample(sorted(beam.items()), min(width, len(beam))))
        if every and step % every == 0:
            tree.keep(np.array(list(beam.values())))


def test_what_nothing_can_come_back_to_is_forgotten() -> None:
    tree = PrefixTree(10)
    one = np.ones(1, dtype=np.int64)
    node = np.full(1, ROOT, dtype=np.int64)
    for _ in range(1000):
        node = tree.children(node, 3 * one)
        tree.children(node, 4 * one)
    fork = np.concatenate([tree.children(node, 5 * one), tree.children(node, 6 * one)])
    tree.keep(fork)
    assert len(tree) == 2
    assert tree.children(node, 5 * one) == fork[:1]
    tree.keep(fork[:1])
    assert len(tree) == 0
    tree.keep(fork[:1])
    assert tree.children(fork[:1], one) > fork.max()
