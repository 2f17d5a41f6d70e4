"""A grammar as a network of words: what every grammar reader makes and the graph compiler takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """End of the slot. Its value is ``value``, or what ``convert`` makes of the words, or the words."""

    name: str
    value: str | int | float | None = None
    convert: str = ""
    """Name of a converter (``edge_asr/understand/values.py``); only without ``value``."""


@dataclass(frozen=True, slots=True)
class SlotFixed:
    """A slot that the sentence fills without saying it (``slots`` of a template, a JSGF tag)."""

    name: str
    value: str | int | float


Mark = IntentMark | SlotOpen | SlotClose | SlotFixed

Path = Sequence[tuple[str | None, tuple[Mark, ...]]]
"""One way through a network: each word with the marks that precede it; last, None with the trailing marks."""


class Placeholder(str):
    """A word in whose place other words join later: those of a run-time list, or any words at all.

    It reads ``{list}``, or ``{list:slot}`` where the joined words close a slot with their own values.
    No word that can be said has braces.
    """

    list: str
    slot: str | None

    def __new__(cls, list: str, slot: str | None = None) -> Placeholder:
        made = super().__new__(cls, f"{{{list}}}" if slot is None else f"{{{list}:{slot}}}")
        made.list = list
        made.slot = slot
        return made


ANYTHING = Placeholder("edge_asr.anything")
"""One or more words that need not be known to the grammar."""


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
    optional: bool = False
    """Left out where nobody knows how to say the word, instead of refused."""


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
    files: tuple[tuple[int, str], ...] = ()
    """Of a grammar from several files: how many lines stand before those of each, and its name."""

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
        optional: bool = False,
    ) -> None:
        """Add one arc.

        Raises
        ------
        GrammarSizeError: the network holds MAX_ARCS already.
        """
        if len(self.arcs) >= MAX_ARCS:
            file, place = self.place(line)
            raise GrammarSizeError(
                f"the grammar expands to more than {MAX_ARCS:,} arcs: split it or repeat fewer choices",
                source=file,
                line=place,
            )
        self.arcs.append(WordArc(source, target, word, mark, weight, line, optional))

    def insert(self, other: WordNetwork, source: int, target: int, *, line: int = 0) -> None:
        """Put a copy of ``other`` between two nodes; its arcs bear ``line``."""
        shift = self.nodes
        self.nodes += other.nodes
        # By arcs of their own: ``other`` may come back to its start, which is no way back to ``source``.
        self.add(source, other.start + shift, line=line)
        for arc in other.arcs:
            self.add(
                arc.source + shift,
                arc.target + shift,
                arc.word,
                mark=arc.mark,
                weight=arc.weight,
                line=line,
                optional=arc.optional,
            )
        self.add(other.end + shift, target, line=line)

    def place(self, line: int) -> tuple[str, int | None]:
        """File and line, for messages, of an arc's line."""
        if not line:
            return self.name, None
        before, name = max(((n, file) for n, file in self.files if n < line), default=(0, self.name))
        return name, line - before

    def vocabulary(self) -> Iterator[tuple[str, int]]:
        """Each distinct word that can be said, with the line where it first stands."""
        seen: set[str] = set()
        for arc in self.arcs:
            if arc.word is not None and arc.word not in seen and not isinstance(arc.word, Placeholder):
                seen.add(arc.word)
                yield arc.word, arc.line

    def placeholders(self) -> dict[Placeholder, int]:
        """Each distinct placeholder with the line where it first stands."""
        found: dict[Placeholder, int] = {}
        for arc in self.arcs:
            if isinstance(arc.word, Placeholder):
                found.setdefault(arc.word, arc.line)
        return found

    def filled(self, words: Mapping[Placeholder, WordNetwork]) -> WordNetwork:
        """The same network with the given words in the place of their placeholders."""
        made = WordNetwork(self.name, self.nodes, self.start, self.end, files=self.files)
        for arc in self.arcs:
            if isinstance(arc.word, Placeholder) and arc.word in words:
                before = made.add_node()
                made.add(arc.source, before, mark=arc.mark, weight=arc.weight, line=arc.line)
                made.insert(words[arc.word], before, arc.target, line=arc.line)
            else:
                made.arcs.append(arc)
        return made

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
            WordArc(number[a.source], number[a.target], a.word, a.mark, a.weight, a.line, a.optional)
            for a in self.arcs
            if a.source in alive and a.target in alive
        ]
        return WordNetwork(self.name, len(number), number[self.start], number[self.end], arcs, self.files)


def _reach(node: int, next_nodes: list[list[int]]) -> set[int]:
    """Nodes that can be reached from ``node``."""
    reached, waiting = {node}, [node]
    while waiting:
        for other in next_nodes[waiting.pop()]:
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached
