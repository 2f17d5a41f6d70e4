"""Sentences that share their beginnings, as a tree of pieces: each node is to be computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge_asr.arrays import Int64Array
from edge_asr.decoder.word_pieces import BOUNDARY


@dataclass(frozen=True, kw_only=True, eq=False)
class SentenceTree:
    """Node 0 is what all sentences go on from; the nodes of a level follow each other."""

    pieces: Int64Array
    """(nodes,) what each reads."""
    node_parents: Int64Array
    """(nodes,) -1 for node 0."""
    levels: tuple[slice, ...]
    """Nodes of each."""
    parents: Int64Array
    """(edges,) ascending, the node after which something is asked."""
    edge_pieces: Int64Array
    """(edges,) what is asked."""
    edges: tuple[Int64Array, ...]
    """Of each sentence, its end included."""

    @classmethod
    def of(
        cls, sentences: Sequence[Sequence[tuple[int, ...]]], history: int | None, *, first: int = BOUNDARY
    ) -> SentenceTree:
        """From the pieces of each word of each sentence.

        Parameters
        ----------
        history: as in ``NeuralLm.score``.
        first: what node 0 reads: the piece before the sentences.
        """
        pieces, above, depths = [first], [-1], [0]
        asked: dict[
            tuple[int, int], tuple[int, int]
        ] = {}  # (node, piece) -> (edge, the node that it leads to)
        met: dict[tuple[tuple[int, ...], ...], int] = {}  # last words -> node
        said: list[list[int]] = []
        for words in sentences:
            node = 0
            edges: list[int] = []
            for number, word in enumerate(words, start=1):
                for piece in word:
                    if (node, piece) not in asked:
                        asked[node, piece] = (len(asked), len(pieces))
                        pieces.append(piece)
                        above.append(node)
                        depths.append(depths[node] + 1)
                    edge, node = asked[node, piece]
                    edges.append(edge)
                if history is not None and number >= history:
                    node = met.setdefault(tuple(words[number - history : number]), node)
            edges.append(asked.setdefault((node, BOUNDARY), (len(asked), -1))[0])
            said.append(edges)
        parents, edge_pieces = np.array(list(asked), dtype=np.int64).reshape(-1, 2).T
        # Of two nodes with the same history one may be without edges.
        used = np.unique(parents)
        order = used[np.argsort(np.array(depths)[used], kind="stable")]
        numbers = np.full(len(pieces) + 1, -1)  # numbers[-1] is -1
        numbers[order] = np.arange(order.size)
        ends = np.cumsum([0, *np.bincount(np.array(depths)[order])]).tolist()
        by_parent = np.argsort(numbers[parents], kind="stable")
        place = np.empty_like(by_parent)
        place[by_parent] = np.arange(by_parent.size)
        return cls(
            pieces=np.array(pieces)[order],
            node_parents=numbers[np.array(above)[order]],
            levels=tuple(slice(a, b) for a, b in pairwise(ends)),
            parents=numbers[parents][by_parent],
            edge_pieces=edge_pieces[by_parent],
            edges=tuple(place[edges] for edges in said),
        )

    @property
    def nodes(self) -> int:
        """How many are computed."""
        return self.pieces.size

    def blocks(self, nodes: int) -> list[list[slice]]:
        """Levels, as many together as have at most so many nodes; at least one."""
        blocks: list[list[slice]] = []
        for level in self.levels:
            if blocks and level.stop - blocks[-1][0].start <= nodes:
                blocks[-1].append(level)
            else:
                blocks.append([level])
        return blocks
