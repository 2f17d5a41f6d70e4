"""The search graph of word steps: one phone prefix tree per node of the word graph, CTC topology.

What each node n of the word graph becomes, B being blank states and P phone states:

- B(n) is where n is entered after a blank;
- each inner node k of the tree over the (word, pronunciation) pairs that leave n becomes P(k),
  entered by its phone, and B(k), entered from P(k);
- the last phone p of a word has no state of its own: all words that end in p and lead to n' share
  the exit state E(n', p), and the arc into it carries the word. So the number of arcs from word
  ends to word beginnings is bounded by phones x phones, not by words x words.

P(k) and E(n', p) lead straight to the next phone where it differs, and through the blank to any
(Graves et al. 2006, Connectionist Temporal Classification). A word's weight is spent as early as
the tree allows, the best one below a node first, so that pruning sees it in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import ArrayLike

from edge_asr.arrays import Float64Array, Int32Array, Int64Array, native
from edge_asr.decoder.graph import Ending, Graph, Output
from edge_asr.decoder.lexicon import Pronunciation
from edge_asr.decoder.tokens import BLANK
from edge_asr.errors import GrammarSizeError

MAX_GRAPH_ARCS = 10_000_000
"""Arcs of a search graph, and phones of all words in it: what a hundred thousand different sentences take."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Every (word, pronunciation) that leaves a node of the word graph, one row each."""

    sources: Int64Array
    targets: Int64Array
    weights: Float64Array
    outputs: Int64Array
    phones: Int32Array
    """(rows, longest pronunciation)"""
    lengths: Int64Array

    @classmethod
    def of(
        cls,
        sources: ArrayLike,
        targets: ArrayLike,
        weights: ArrayLike,
        outputs: ArrayLike,
        said: Sequence[Sequence[Pronunciation]],
        source: str,
    ) -> Rows:
        """Repeat each step for every pronunciation of its output. ``source`` names the grammar in errors.

        Raises
        ------
        GrammarSizeError: more than MAX_GRAPH_ARCS phones.
        """
        lengths = np.fromiter(map(len, chain.from_iterable(said)), dtype=np.int64)
        longest = lengths.max(initial=1)
        ways = np.fromiter(map(len, said), dtype=np.int64)
        number = np.asarray(outputs, dtype=np.int64)
        first_ways = np.cumsum(ways) - ways
        ends = np.concatenate([[0], np.cumsum(lengths)])
        phones_of = ends[first_ways + ways] - ends[first_ways]
        _refuse_size(int(phones_of[number].sum()), "phones", source)
        phones = np.zeros((lengths.size, longest), dtype=np.int32)
        flat = np.fromiter(chain.from_iterable(chain.from_iterable(said)), dtype=np.int32)
        phones[np.arange(longest) < lengths[:, None]] = flat
        step = np.repeat(np.arange(number.size), native(ways[number]))
        row = _ranges(first_ways[number], ways[number])
        return cls(
            np.asarray(sources, dtype=np.int64)[step],
            np.asarray(targets, dtype=np.int64)[step],
            np.asarray(weights, dtype=np.float64)[step],
            number[step],
            phones[row],
            lengths[row],
        )


def _refuse_size(size: int, what: str, source: str) -> None:
    if size > MAX_GRAPH_ARCS:
        raise GrammarSizeError(
            f"the search graph would have {size:,} {what}, the limit is {MAX_GRAPH_ARCS:,}: split it",
            source=source,
        )


def _ranges(first: Int64Array, count: Int64Array) -> Int64Array:
    """``first[i], first[i] + 1, ...`` (``count[i]`` of them) for every i, one after the other."""
    ranges: Int64Array = np.repeat(first - np.cumsum(count) + count, native(count))
    ranges += np.arange(ranges.size)
    return ranges


@dataclass(frozen=True, eq=False)
class _Forest:
    """The prefix trees of all nodes. Roots are 0..roots-1 (nodes of the word graph), inner nodes follow."""

    roots: int
    parents: Int64Array
    """(inner nodes,)"""
    labels: Int64Array
    """(inner nodes,)"""
    inner_weights: Float64Array
    """(inner nodes,) weight spent on the way in."""
    last_parents: Int64Array
    """(words,) node before the last phone; words with the same way in and out occur once, unless homophones
    are kept."""
    last_labels: Int64Array
    last_weights: Float64Array
    last_targets: Int64Array
    last_outputs: Int64Array


def _forest(rows: Rows, roots: int, alphabet: int, *, homophones: bool) -> _Forest:
    """Build all trees at once, level by level."""
    node = rows.sources.copy()
    parents, labels = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    first_of_level = [roots]
    for depth in range(rows.phones.shape[1] - 1):
        longer = np.flatnonzero(rows.lengths > depth + 1)
        keys, which = np.unique(node[longer] * alphabet + rows.phones[longer, depth], return_inverse=True)
        node[longer] = first_of_level[-1] + which
        parents.append(keys // alphabet)
        labels.append(keys % alphabet)
        first_of_level.append(first_of_level[-1] + keys.size)
    parent = np.concatenate(parents)

    best = np.full(first_of_level[-1], -np.inf)
    np.maximum.at(best, node, rows.weights)
    for first, last in reversed(list(pairwise(first_of_level))):
        np.maximum.at(best, parent[first - roots : last - roots], best[first:last])
    best[:roots] = 0.0

    last_label = rows.phones[np.arange(node.size), rows.lengths - 1].astype(np.int64)
    way = (node * roots + rows.targets) * alphabet + last_label
    if homophones:
        way = way * (rows.outputs.max() + 1) + rows.outputs
    # Homophones that lead to the same node can never be told apart: keep the best, of equals the first.
    order = np.lexsort((-rows.weights, way))
    kept = np.sort(order[np.flatnonzero(np.diff(way[order], prepend=-1))])
    return _Forest(
        roots=roots,
        parents=parent,
        labels=np.concatenate(labels),
        inner_weights=best[roots:] - best[parent],
        last_parents=node[kept],
        last_labels=last_label[kept],
        last_weights=rows.weights[kept] - best[node[kept]],
        last_targets=rows.targets[kept],
        last_outputs=rows.outputs[kept],
    )


def lay_out(
    rows: Rows,
    final_weights: Float64Array,
    node_endings: Int64Array,
    outputs: tuple[Output, ...],
    endings: tuple[Ending, ...],
    tokens: tuple[str, ...],
    *,
    homophones: bool = False,
    name: str,
) -> Graph:
    """Lay out states and arcs.

    States: B of every root and inner node under the node's own number, then P of the inner nodes,
    then the exits E ordered by (target, phone).

    Raises
    ------
    GrammarSizeError: more than MAX_GRAPH_ARCS arcs; ``name`` stands in the message.
    """
    alphabet = len(tokens)
    roots = final_weights.size
    forest = _forest(rows, roots, alphabet, homophones=homophones)
    inner = forest.parents.size
    nodes = roots + inner
    exits, exit_of = np.unique(forest.last_targets * alphabet + forest.last_labels, return_inverse=True)
    exit_roots = exits // alphabet
    blank_of_phone = np.concatenate([np.arange(roots, nodes), exit_roots])
    phone_labels = np.concatenate([forest.labels, exits % alphabet])
    phone_states = nodes + np.arange(phone_labels.size)

    # Arcs of the trees, as seen from the blank state of the parent.
    parent = np.concatenate([forest.parents, forest.last_parents])
    child = np.concatenate([nodes + np.arange(inner), nodes + inner + exit_of])
    label = np.concatenate([forest.labels, forest.last_labels])
    weight = np.concatenate([forest.inner_weights, forest.last_weights])
    said = np.concatenate([np.zeros(inner, np.int64), 1 + forest.last_outputs])

    # The same arcs from the phone states that stand for the parent: one for an inner node, for a
    # root all its exits.
    phones_of_node = np.ones(nodes, dtype=np.int64)
    phones_of_node[:roots] = np.bincount(native(exit_roots), minlength=roots)
    first_phone = np.arange(nodes) - roots + nodes
    first_phone[:roots] = nodes + inner + np.searchsorted(exit_roots, np.arange(roots))
    arcs = parent.size + phone_states.size + int(phones_of_node[parent].sum())
    _refuse_size(arcs, "arcs", name)
    arc = np.repeat(np.arange(parent.size), native(phones_of_node[parent]))
    phone = _ranges(first_phone[parent], phones_of_node[parent])
    differs = phone_labels[phone - nodes] != label[arc]
    arc, phone = arc[differs], phone[differs]

    source = native(np.concatenate([parent, phone, phone_states]))
    order = np.argsort(source, kind="stable")
    nothing = np.zeros(phone_states.size, dtype=np.int64)
    states = nodes + phone_states.size
    owner = np.full(states, -1)
    owner[:roots] = np.arange(roots)
    owner[nodes + inner :] = exit_roots
    return Graph(
        tokens=tokens,
        offsets=np.concatenate([[0], np.cumsum(np.bincount(source, minlength=states))]).astype(np.int32),
        targets=np.concatenate([child, child[arc], blank_of_phone])[order].astype(np.int32),
        weights=np.concatenate([weight, weight[arc], nothing])[order].astype(np.float32),
        arc_outputs=np.concatenate([said, said[arc], nothing])[order].astype(np.int32),
        labels=np.concatenate([np.full(nodes, BLANK), phone_labels]).astype(np.int16),
        final_weights=np.where(owner < 0, -np.inf, final_weights[owner]).astype(np.float32),
        state_endings=np.where(owner < 0, -1, node_endings[owner]).astype(np.int32),
        outputs=outputs,
        endings=endings,
    )
