"""Words that join a compiled grammar: a block of search graph in the place of a hole.

A block is the graph of the joining words alone, compiled apart. It begins in state 0 and ends where
it is final. For a hole from root S to root T (the blank states of two nodes of the word graph) the
block's states are appended, and then

- what leaves the block's state 0 leaves S, and every phone state that stands for S (its exits, from
  which a blank leads to S), where the phone differs;
- the block's exits stand for T: a blank leads from them to T, and what leaves T leaves them where
  the phone differs.

That is what compiling the grammar with the words in place would have made, but for words inside and
outside of the block that begin or sound alike and do not share their states here: the sentences, their
marks and their scores are the same. Holes with one target, one block and the same marks share a copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge_asr.arrays import BoolArray, Float32Array, Int64Array, native
from edge_asr.decoder.graph import Graph, Hole, Output
from edge_asr.decoder.network import Mark, Placeholder
from edge_asr.decoder.tokens import BLANK
from edge_asr.errors import GrammarError

MAX_ARCS = 8_000_000
"""A joined graph beyond this many arcs (some 160 MB) is a mistake of its author."""


@dataclass(frozen=True, eq=False)
class _Arcs:
    """Arcs as parallel arrays; ``sources`` is meaningless where the source is understood."""

    sources: Int64Array
    targets: Int64Array
    weights: Float32Array
    outputs: Int64Array

    def __getitem__(self, which: BoolArray | Int64Array | slice) -> _Arcs:
        return _Arcs(self.sources[which], self.targets[which], self.weights[which], self.outputs[which])

    @classmethod
    def chain(cls, parts: Sequence[_Arcs]) -> _Arcs:
        """All arcs, one part after the other."""
        return cls(
            np.concatenate([part.sources for part in parts]),
            np.concatenate([part.targets for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate([part.outputs for part in parts]),
        )

    @classmethod
    def of(cls, graph: Graph) -> _Arcs:
        """All arcs of a graph, ordered by source."""
        return cls(
            np.repeat(np.arange(graph.states), np.diff(graph.offsets)),
            graph.targets.astype(np.int64),
            graph.weights,
            graph.arc_outputs.astype(np.int64),
        )


@dataclass(frozen=True, eq=False)
class _Copy:
    """One copy of a block, its states and outputs numbered as in the joined graph."""

    entry: _Arcs
    """What leaves the hole's source."""
    inner: _Arcs
    exits: Int64Array
    """Phone states where the joined words end."""


def join(graph: Graph, blocks: Mapping[Placeholder, Graph]) -> Graph:
    """``graph`` with each block in the holes of its placeholder. Holes without a block stay.

    Raises
    ------
    GrammarError: the joined graph would be too large.
    ValueError: a block whose sentences do not all end in one node, or of another alphabet.
    """
    copies: dict[tuple[Placeholder, int, tuple[Mark, ...]], list[Hole]] = {}
    for hole in graph.holes:
        if hole.placeholder in blocks:
            copies.setdefault((hole.placeholder, hole.target, hole.before), []).append(hole)
    if not copies:
        return graph
    arcs = graph.arcs + sum(blocks[name].arcs for name, _, _ in copies)
    if arcs > MAX_ARCS:
        raise GrammarError(
            f"{len(copies)} places where lists or open words join make {arcs:,} arcs, the limit is "
            f"{MAX_ARCS:,}: use fewer places, shorter lists or fewer open words",
            source=graph.endings[0].network,
        )
    return _Joiner(graph, {name: _Block(block, graph) for name, block in blocks.items()}).run(copies)


class _Block:
    """What is the same for all copies of a block."""

    def __init__(self, block: Graph, graph: Graph) -> None:
        if block.tokens != graph.tokens:
            raise ValueError("expected a block of the graph's tokens")
        self.graph = block
        self.arcs = _Arcs.of(block)
        self.outputs_from = -1
        """First of its outputs in the joined graph."""
        final = block.final_weights > -np.inf
        ends = np.flatnonzero(final & (block.labels == BLANK))
        if ends.size != 1 or ends[0] == 0 or (block.targets == 0).any():
            raise ValueError("expected a block that never comes back to its start and ends in one node")
        self.end = int(ends[0])
        self.exits = np.flatnonzero(final & (block.labels != BLANK))
        self.goes_on = bool(block.offsets[self.end + 1] > block.offsets[self.end])
        """More words may follow the last one."""
        self.kept = np.ones(block.states, dtype=np.bool_)
        self.kept[0] = False
        self.kept[self.end] = self.goes_on
        self.loop = self._reached_from(self.end) if self.goes_on else self.kept
        """(states,) what is needed where the first words need no marks and so may be those that follow."""
        if self.goes_on and not self._begins_as_it_goes_on():
            raise ValueError("expected a block in which any word may follow that may begin it, and no other")

    def row(self, state: int) -> slice:
        """Where the arcs are that leave the state."""
        return slice(int(self.graph.offsets[state]), int(self.graph.offsets[state + 1]))

    def _begins_as_it_goes_on(self) -> bool:
        """Is what leaves the start, as far as one arc tells, what leaves the end?"""
        first, again = self.arcs[self.row(0)], self.arcs[self.row(self.end)]
        labels = self.graph.arc_labels
        return (
            np.array_equal(first.weights, again.weights)
            and np.array_equal(first.outputs, again.outputs)
            and np.array_equal(labels[self.row(0)], labels[self.row(self.end)])
        )

    def _reached_from(self, state: int) -> BoolArray:
        """(states,) those that can be reached, ``state`` included."""
        reached = np.zeros(self.graph.states, dtype=np.bool_)
        reached[state] = True
        count = 0
        while count < (count := int(np.count_nonzero(reached))):
            reached[self.arcs.targets[reached[self.arcs.sources]]] = True
        return reached

    def first_words(self) -> BoolArray:
        """(arcs,) those that say the first of the joined words."""
        first = np.zeros(self.arcs.targets.size, dtype=np.bool_)
        seen = np.zeros(self.graph.states, dtype=np.bool_)
        front = np.zeros(1, dtype=np.int64)
        while front.size:
            seen[front] = True
            inside = np.zeros(self.graph.states, dtype=np.bool_)
            inside[front] = True
            leaving = inside[self.arcs.sources]
            says = self.arcs.outputs > 0
            first |= leaving & says
            after = np.unique(self.arcs.targets[leaving & ~says])
            front = after[~seen[after]]
        return first


class _Joiner:
    def __init__(self, graph: Graph, blocks: Mapping[Placeholder, _Block]) -> None:
        self._graph = graph
        self._blocks = blocks
        self._arcs = _Arcs.of(graph)
        self._states = graph.states
        self._outputs = list(graph.outputs)
        self._labels = [graph.labels]
        self._final_weights = [graph.final_weights]
        self._endings = [graph.state_endings]

    def run(self, copies: Mapping[tuple[Placeholder, int, tuple[Mark, ...]], Sequence[Hole]]) -> Graph:
        entries: dict[int, list[_Arcs]] = {}
        exits: dict[int, list[Int64Array]] = {}
        added = [self._arcs]
        for (name, target, before), holes in copies.items():
            copy = self._copy(self._blocks[name], target, before)
            added.append(copy.inner)
            exits.setdefault(target, []).append(copy.exits)
            for hole in holes:
                weights = copy.entry.weights + np.float32(hole.weight)
                entries.setdefault(hole.source, []).append(replace(copy.entry, weights=weights))
        labels = np.concatenate(self._labels)
        standing = self._standing(entries)
        for root in entries.keys() | exits.keys():
            entry = _Arcs.chain(entries[root]) if root in entries else None
            if entry is not None:
                added.append(_cross(standing[root], entry, labels))
            if root in exits:
                row = self._arcs[slice(self._graph.offsets[root], self._graph.offsets[root + 1])]
                row = row if entry is None else _Arcs.chain([row, entry])
                added.append(_cross(np.concatenate(exits[root]), row, labels))
        arcs = _Arcs.chain(added)
        if any(self._blocks[name].goes_on and target in entries for name, target, _ in copies):
            # A word of one phone leads from an exit to an exit both as the next word and as a new slot.
            arcs = _heaviest(arcs, self._states)
        return self._assembled(arcs, labels)

    def _copy(self, block: _Block, target: int, before: tuple[Mark, ...]) -> _Copy:
        """Append the block's states; its words lead to ``target``."""
        kept = block.kept if before else block.loop
        number = self._states + np.cumsum(kept) - 1
        number[block.end] = number[block.end] if block.goes_on else target
        self._states += int(np.count_nonzero(kept))
        final_weights = np.full(block.graph.states, -np.inf, dtype=np.float32)
        final_weights[block.exits] = self._graph.final_weights[target]
        endings = np.full(block.graph.states, -1, dtype=np.int32)
        endings[block.exits] = self._graph.state_endings[target]
        self._labels.append(block.graph.labels[kept])
        self._final_weights.append(final_weights[kept])
        self._endings.append(endings[kept])

        arcs = block.arcs
        outputs = self._say(block, before)
        moved = _Arcs(number[arcs.sources], number[arcs.targets], arcs.weights, outputs)
        entry = moved[block.row(block.end if block.goes_on and not before else 0)]
        inner = moved[kept[arcs.sources]]
        exits = number[block.exits]
        if block.goes_on:
            # The block keeps a blank of its own between its words; after the last one T's is entered.
            nothing = np.zeros(exits.size)
            ways_out = _Arcs(
                exits,
                np.full(exits.size, target),
                nothing.astype(np.float32),
                nothing.astype(np.int64),
            )
            inner = _Arcs.chain([inner, ways_out])
        return _Copy(entry, inner, exits)

    def _say(self, block: _Block, before: tuple[Mark, ...]) -> Int64Array:
        """(arcs of the block,) outputs; the first words leave the marks ``before``."""
        if block.outputs_from < 0:
            block.outputs_from = len(self._outputs)
            self._outputs += block.graph.outputs
        said = block.arcs.outputs
        outputs = np.where(said > 0, said + block.outputs_from, 0)
        if before:
            first = block.first_words()
            words, which = np.unique(said[first], return_inverse=True)
            outputs[first] = len(self._outputs) + 1 + which
            for word in words.tolist():
                output = block.graph.outputs[word - 1]
                self._outputs.append(Output(output.word, before + output.before, output.after))
        return outputs

    def _standing(self, roots: Mapping[int, object]) -> dict[int, Int64Array]:
        """Each root with the phone states of ``graph`` from which a blank leads to it."""
        wanted = np.zeros(self._graph.states, dtype=np.bool_)
        wanted[list(roots)] = True
        into = np.flatnonzero(wanted[self._arcs.targets])
        sources, targets = self._arcs.sources[into], self._arcs.targets[into]
        return {root: np.concatenate([[root], sources[targets == root]]) for root in roots}

    def _assembled(self, arcs: _Arcs, labels: np.ndarray) -> Graph:
        degrees = np.bincount(native(arcs.sources), minlength=self._states)
        order = np.argsort(arcs.sources, kind="stable")
        joined = {hole for hole in self._graph.holes if hole.placeholder in self._blocks}
        return replace(
            self._graph,
            offsets=np.concatenate([[0], np.cumsum(degrees)]).astype(np.int32),
            targets=arcs.targets[order].astype(np.int32),
            weights=arcs.weights[order],
            arc_outputs=arcs.outputs[order].astype(np.int32),
            labels=labels,
            final_weights=np.concatenate(self._final_weights),
            state_endings=np.concatenate(self._endings),
            outputs=tuple(self._outputs),
            holes=tuple(hole for hole in self._graph.holes if hole not in joined),
        )


def _cross(states: Int64Array, row: _Arcs, labels: np.ndarray) -> _Arcs:
    """``row`` from each of ``states``, but for arcs that repeat the state's own phone."""
    sources = np.repeat(states, row.targets.size)
    arcs = _Arcs(
        sources,
        np.tile(row.targets, states.size),
        np.tile(row.weights, states.size),
        np.tile(row.outputs, states.size),
    )
    return arcs[(labels[sources] == BLANK) | (labels[sources] != labels[arcs.targets])]


def _heaviest(arcs: _Arcs, states: int) -> _Arcs:
    """Of arcs that share both ends only the heaviest, of equals the first."""
    order = np.lexsort((-arcs.weights, arcs.sources * states + arcs.targets))
    sources, targets = arcs.sources[order], arcs.targets[order]
    first = np.diff(sources, prepend=-1).astype(np.bool_) | np.diff(targets, prepend=-1).astype(np.bool_)
    return arcs[np.sort(order[first])]
