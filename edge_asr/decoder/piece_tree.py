"""Sentences that share their beginnings, as a tree of pieces: each node is computed once.

While someone speaks, the same beginnings are asked for again and again, each time a little longer: what is
known of a node stays there as long as sentences come through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge_asr.arrays import Float32Array
from edge_asr.decoder.word_pieces import BOUNDARY


@dataclass(eq=False, slots=True)
class Context:
    """A node: where a model stands behind pieces, and what is known of those that follow."""

    piece: int
    """What it reads."""
    above: Context | None = None
    """The node before; forgotten once its state is not needed any more."""
    state: tuple[tuple[Float32Array, Float32Array], ...] | None = None
    """Outputs and cells (cells,) of each layer behind the piece; None where not computed."""
    narrow: Float32Array | None = None
    """(values,) that the pieces after it are multiplied with; None where none was asked for."""
    log_total: float = 0.0
    """Logarithm of the sum over all pieces that may follow."""
    answers: dict[int, float] = field(default_factory=dict)
    """Natural logarithm of the probability of pieces after it, of those that were asked for."""
    next: dict[int, Context] = field(default_factory=dict)
    """Nodes of pieces that were asked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Walk:
    """The ways of sentences through the tree."""

    edges: list[list[tuple[Context, int]]]
    """Of each sentence, its end included: a node, and the piece that is asked for after it."""
    asked: list[Context]
    """Each node once that something is asked for after."""
    depths: list[int]
    """Of each of those: how many pieces it lies behind the node that all go on from."""

    @classmethod
    def of(
        cls, sentences: Sequence[Sequence[tuple[int, ...]]], after: Context, history: int | None = None
    ) -> Walk:
        """Through the pieces of each word of each sentence; nodes that are missing are made.

        Parameters
        ----------
        after: what the sentences go on from.
        history: as in ``NeuralLm.score``.
        """
        depths: dict[Context, int] = {}
        met: dict[tuple[tuple[int, ...], ...], tuple[Context, int]] = {}  # last words -> node and its depth
        ways = []
        for words in sentences:
            node, depth = after, 0
            way: list[tuple[Context, int]] = []
            for number, word in enumerate(words, start=1):
                for piece in word:
                    way.append((node, piece))
                    depths.setdefault(node, depth)
                    node, depth = _below(node, piece), depth + 1
                if history is not None and number >= history:
                    node, depth = met.setdefault(tuple(words[number - history : number]), (node, depth))
            way.append((node, BOUNDARY))
            depths.setdefault(node, depth)
            ways.append(way)
        return cls(edges=ways, asked=list(depths), depths=list(depths.values()))

    def prune(self) -> None:
        """Forget all nodes that no sentence came through."""
        kept = set(self.asked)
        for node in self.asked:
            node.next = {piece: below for piece, below in node.next.items() if below in kept}


def _below(node: Context, piece: int) -> Context:
    found = node.next.get(piece)
    if found is None:
        found = node.next[piece] = Context(piece, above=node)
    return found
