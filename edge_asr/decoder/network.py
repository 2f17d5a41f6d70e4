"""A grammar as a network of words: what every grammar reader makes and the graph compiler takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from edge_asr.errors import GrammarSizeError

MAX_ARCS = 1_000_000
"""A network beyond this many arcs is a mistake of its author (nested rules that multiply). A hundred
thousand sentences have two thirds of it; a million arcs take 1.5 GB to compile."""


def about(size: int) -> str:
    """A size for people; nested rules make it as long as a line."""
    # The number of decimal digits by way of the bits: Python refuses to write thousands of digits.
    return f"about {size:,}" if size < 10**15 else f"about 10^{round(size.bit_length() * 0.30103)}"


@dataclass(frozen=True, slots=True)
class IntentMark:
    """The sentence asks for this intent."""

    name: str


@dataclass(frozen=True, slots=True)
class SlotOpen:
    """The words that follow, up to the matching SlotClose, fill the slot ``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class SlotClose:
    """End of the slot. ``value`` replaces the spoken words unless it is None."""

    name: str
    value: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class SlotFixed:
    """A slot that the sentence fills without saying it (``slots`` of a template, a JSGF tag)."""

    name: str
    value: str | int | float


Mark = IntentMark | SlotOpen | SlotClose | SlotFixed

Path = Sequence[tuple[str | None, tuple[Mark, ...]]]
"""One way through a network: each word with the marks that precede it; last, None with the trailing marks."""


@dataclass(frozen=True, slots=True)
class WordArc:
    """From ``source`` to ``target``: leave ``mark`` (None: nothing), then say ``word`` (None: nothing)."""

    source: int
    target: int
    word: str | None = None
    mark: Mark | None = None
    weight: float = 0.0
    """Natural log; 0 is neutral."""
    line: int = 0
    """1-based line in the grammar's source, 0 where there is none."""


@dataclass
class WordNetwork:
    """Nodes are integers from 0; ``start`` and ``end`` are single nodes; epsilon arcs are allowed.

    A cycle must contain at least one word.
    """

    name: str
    """File name of the grammar, for messages."""
    nodes: int = 2
    start: int = 0
    end: int = 1
    arcs: list[WordArc] = field(default_factory=list)

    def add_node(self) -> int:
        """Make a node and return its number."""
        self.nodes += 1
        return self.nodes - 1

    def add(
        self,
        source: int,
        target: int,
        word: str | None = None,
        *,
        mark: Mark | None = None,
        weight: float = 0.0,
        line: int = 0,
    ) -> None:
        """Add one arc.

        Raises
        ------
        GrammarSizeError: the network holds MAX_ARCS already.
        """
        if len(self.arcs) >= MAX_ARCS:
            raise GrammarSizeError(
                f"the grammar expands to more than {MAX_ARCS:,} arcs: split it or repeat fewer choices",
                source=self.name,
                line=line or None,
            )
        self.arcs.append(WordArc(source, target, word, mark, weight, line))

    def vocabulary(self) -> Iterator[tuple[str, int]]:
        """Each distinct word with the line where it first stands."""
        seen: set[str] = set()
        for arc in self.arcs:
            if arc.word is not None and arc.word not in seen:
                seen.add(arc.word)
                yield arc.word, arc.line

    def trimmed(self) -> WordNetwork:
        """The same network without the arcs and nodes that are on no way from start to end."""
        following: list[list[int]] = [[] for _ in range(self.nodes)]
        before: list[list[int]] = [[] for _ in range(self.nodes)]
        for arc in self.arcs:
            following[arc.source].append(arc.target)
            before[arc.target].append(arc.source)
        alive = _reach(self.start, following) & _reach(self.end, before)
        if len(alive) == self.nodes:
            return self
        number = {node: i for i, node in enumerate(sorted(alive | {self.start, self.end}))}
        arcs = [
            WordArc(number[arc.source], number[arc.target], arc.word, arc.mark, arc.weight, arc.line)
            for arc in self.arcs
            if arc.source in alive and arc.target in alive
        ]
        return WordNetwork(self.name, len(number), number[self.start], number[self.end], arcs)


def _reach(node: int, next_nodes: list[list[int]]) -> set[int]:
    """Nodes that can be reached from ``node``."""
    reached, waiting = {node}, [node]
    while waiting:
        for other in next_nodes[waiting.pop()]:
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached
