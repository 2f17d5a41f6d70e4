"""What must be known of all rules of a JSGF grammar before any is turned into a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edge_asr.decoder.grammar.builtin import LISTS, builtin_network, placeholder_network
from edge_asr.decoder.grammar.jsgf_parser import (
    Chain,
    Choice,
    Expansion,
    Grammar,
    Imported,
    Null,
    Reference,
    Repeat,
    Rule,
    Tagged,
)
from edge_asr.decoder.network import MAX_ARCS, Placeholder, WordNetwork
from edge_asr.errors import GrammarError


class _Size(NamedTuple):
    """Arcs of an expansion as it stands, and of ``Rules.without_silence`` of it."""

    full: int
    without_silence: int


class Rules:
    """The rules of a grammar, checked.

    Raises
    ------
    GrammarError: no public rule, an unknown rule, a rule that begins with itself, or too large.
    """

    def __init__(self, grammar: Grammar, source: str) -> None:
        self._rules = grammar.rules
        self._source = source
        self._silent: set[str] = set()
        self._find_silent_rules()
        if not any(rule.public for rule in self._rules.values()):
            raise GrammarError("expected at least one public rule, found none", source=source)
        for rule in self._rules.values():
            for reference in _references(rule.body):
                self.body(reference)
        self._refuse_left_recursion()
        self._refuse_size()

    def public(self) -> Iterator[Rule]:
        """The rules that can be said, in the order of the file."""
        return (rule for rule in self._rules.values() if rule.public)

    def body(self, reference: Reference) -> Expansion:
        """What the referenced rule stands for."""
        rule = self._rules.get(reference.name)
        if rule is None:
            raise self._error(f"there is no rule <{reference.name}>", reference.line)
        return rule.body

    def is_silent(self, item: Expansion) -> bool:
        """Can ``item`` be said by saying nothing?"""
        if isinstance(item, Reference):
            return item.name in self._silent
        if isinstance(item, Chain):
            return all(self.is_silent(part) for part in item.items)
        if isinstance(item, Choice):
            return any(weight > 0 and self.is_silent(part) for part, weight in item.items)
        if isinstance(item, Repeat | Tagged):
            return self.is_silent(item.item)
        return isinstance(item, Null)

    def without_silence(self, item: Expansion) -> Expansion | None:
        """``item`` without the ways that say nothing, and without their tags; None if no other is left.

        A loop around a silent way would never end, and silence is no sentence.
        """
        if not self.is_silent(item):
            return item
        if isinstance(item, Reference):
            return self.without_silence(self.body(item))
        if isinstance(item, Tagged):
            inner = self.without_silence(item.item)
            return None if inner is None else Tagged(inner, item.tag, item.line)
        if isinstance(item, Repeat):
            inner = self.without_silence(item.item)
            return None if inner is None else Repeat(inner)
        if isinstance(item, Choice):
            kept = [(self.without_silence(part), weight) for part, weight in item.items]
            return _choice([(part, weight) for part, weight in kept if part is not None])
        if isinstance(item, Chain):
            # The first part that is said is part i; those before it are not.
            ways: list[tuple[Expansion, float]] = []
            for i, part in enumerate(item.items):
                said = self.without_silence(part)
                if said is not None:
                    ways.append((Chain((said, *item.items[i + 1 :])), 1.0))
            return _choice(ways)
        return None

    def _find_silent_rules(self) -> None:
        """Grown until nothing changes, since rules may refer to later ones."""
        while True:
            grown = {name for name, rule in self._rules.items() if self.is_silent(rule.body)}
            if grown == self._silent:
                return
            self._silent = grown

    def _refuse_left_recursion(self) -> None:
        """A search over rules that can stand at the very beginning of a rule."""
        finished: set[str] = set()
        for start in self._rules:
            way: list[tuple[str, Iterator[Reference]]] = []
            waiting: Reference | None = Reference(start, self._rules[start].line)
            while way or waiting:
                if waiting is not None and waiting.name not in finished:
                    names = [name for name, _ in way]
                    if waiting.name in names:
                        cycle = " -> ".join(
                            f"<{n}>" for n in [*names[names.index(waiting.name) :], waiting.name]
                        )
                        raise self._error(f"a rule cannot begin with itself: {cycle}", waiting.line)
                    way.append((waiting.name, self._first_references(self._rules[waiting.name].body)))
                waiting = next(way[-1][1], None) if way else None
                if way and waiting is None:
                    finished.add(way.pop()[0])

    def _first_references(self, item: Expansion) -> Iterator[Reference]:
        """References that can be reached within ``item`` before any word is said."""
        if isinstance(item, Reference):
            yield item
        elif isinstance(item, Repeat | Tagged):
            yield from self._first_references(item.item)
        elif isinstance(item, Choice):
            for part, weight in item.items:
                if weight > 0:
                    yield from self._first_references(part)
        elif isinstance(item, Chain):
            for part in item.items:
                yield from self._first_references(part)
                if not self.is_silent(part):
                    return

    def _refuse_size(self) -> None:
        """Rules are copied wherever they are used: rules of rules of rules may multiply."""
        known: dict[str, _Size] = {}
        size = 0
        for rule in self.public():
            try:
                size += self._size(Reference(rule.name, rule.line), known).without_silence
            except RecursionError:
                raise self._error("rules refer to one another in too long a row", rule.line) from None
            if size > MAX_ARCS:
                raise self._error(
                    f"up to <{rule.name}> about {size:,} arcs, the limit is {MAX_ARCS:,}", rule.line
                )

    def _size(self, item: Expansion, known: dict[str, _Size]) -> _Size:
        """Arcs that ``item`` becomes, about; a rule within itself counts once."""
        if isinstance(item, Reference):
            if item.name not in known:
                known[item.name] = _Size(1, 1)
                known[item.name] = _Size(*(1 + n for n in self._size(self.body(item), known)))
            return known[item.name]
        if isinstance(item, Repeat | Tagged):
            full, without_silence = self._size(item.item, known)
            # What is repeated never stands in full (jsgf.py).
            return _Size(3 + (full if isinstance(item, Tagged) else without_silence), 3 + without_silence)
        if isinstance(item, Choice):
            sizes = [self._size(part, known) for part, _ in item.items]
            return _Size(
                sum(1 + size.full for size in sizes), sum(1 + size.without_silence for size in sizes)
            )
        if isinstance(item, Chain):
            sizes = [self._size(part, known) for part in item.items]
            full = sum(size.full for size in sizes)
            if not self.is_silent(item):
                return _Size(full, full)
            # Part i without silence and everything behind it in full, for every i.
            return _Size(full, sum(s.without_silence + i * s.full for i, s in enumerate(sizes)))
        if isinstance(item, Imported):
            size = len(imported_network(item).arcs) + 2
            return _Size(size, size)
        return _Size(1, 1)

    def _error(self, message: str, line: int) -> GrammarError:
        return GrammarError(message, source=self._source, line=line)


def imported_network(item: Imported, slot: str | None = None) -> WordNetwork:
    """The words of a built-in, or the place where a run-time list joins.

    Parameters
    ----------
    slot: that the list closes with the values of its entries.
    """
    if item.grammar == LISTS:
        return placeholder_network(Placeholder(item.name, slot))
    return builtin_network(item.name)


def _choice(ways: list[tuple[Expansion, float]]) -> Expansion | None:
    if not ways:
        return None
    return ways[0][0] if len(ways) == 1 else Choice(tuple(ways))


def _references(item: Expansion) -> Iterator[Reference]:
    """All references within ``item``."""
    if isinstance(item, Reference):
        yield item
    elif isinstance(item, Repeat | Tagged):
        yield from _references(item.item)
    elif isinstance(item, Chain):
        for part in item.items:
            yield from _references(part)
    elif isinstance(item, Choice):
        for part, _ in item.items:
            yield from _references(part)
