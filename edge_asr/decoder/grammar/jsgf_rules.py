"""What must be known of all rules of a JSGF grammar before any is turned into a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge_asr.decoder.grammar.builtin import LISTS, builtin_network, placeholder_network
from edge_asr.decoder.grammar.jsgf_soundness import grow, references, sound_rules, without
from edge_asr.decoder.grammar.jsgf_tree import (
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
    Token,
)
from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.decoder.network import MAX_ARCS, Placeholder, WordNetwork, about
from edge_asr.errors import GrammarError


class _Size(NamedTuple):
    """Arcs of an expansion as it stands, and of ``Rules.without_silence`` of it."""

    full: int
    without_silence: int


class Rules:
    """The rules of a grammar, checked. What is wrong is <VOID> from here on, and noted.

    Raises
    ------
    GrammarError: no public rule; or, unless it is noted, an unknown rule, a rule that begins with itself,
        a word or tag that means nothing, or a public rule that is too large.
    """

    def __init__(self, grammar: Grammar, source: str, mistakes: Mistakes) -> None:
        self._source = source
        self._mistakes = mistakes
        if not any(rule.public for rule in grammar.rules.values()):
            raise mistakes.nothing_left(source, "expected at least one public rule, found none")
        self._rules = sound_rules(grammar, source, mistakes)
        self._silent = grow(self._rules, _is_silent, source)
        if self._cut_left_recursion():
            self._silent = grow(self._rules, _is_silent, source)
        self._fitting = self._those_that_fit()

    def public(self) -> Iterator[Rule]:
        """The rules that can be said, in the order of the file."""
        return iter(self._fitting)

    def body(self, reference: Reference) -> Expansion:
        """What the referenced rule stands for."""
        return self._rules[reference.name].body

    def is_silent(self, item: Expansion) -> bool:
        """Can ``item`` be said by saying nothing?"""
        return _is_silent(item, self._silent)

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

    def _cut_left_recursion(self) -> bool:
        """A search over rules that can stand at the very beginning of a rule. Was there any?"""
        found = False
        finished: set[str] = set()
        for start in self._rules:
            way: dict[str, Iterator[Reference]] = {}
            waiting: Reference | None = Reference(start, self._rules[start].line)
            while way or waiting:
                if waiting is not None and waiting.name not in finished:
                    if waiting.name in way:
                        found = True
                        names = list(way)
                        self._mistakes.note(self._cycle(names[names.index(waiting.name) :], waiting.line))
                        rule = self._rules[names[-1]]
                        body = without(rule.body, waiting)
                        self._rules[rule.name] = Rule(rule.name, body, rule.public, rule.line)
                    else:
                        way[waiting.name] = self._first_references(self._rules[waiting.name].body)
                waiting = next(way[next(reversed(way))], None) if way else None
                if way and waiting is None:
                    finished.add(way.popitem()[0])
        return found

    def _cycle(self, names: list[str], line: int) -> GrammarError:
        cycle = " -> ".join(shortened([*names, names[0]]))
        return self._error(f"a rule cannot begin with itself: {cycle}", line)

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

    def _those_that_fit(self) -> list[Rule]:
        """Rules are copied wherever they are used: rules of rules of rules may multiply."""
        known = self._sizes()
        fitting: list[Rule] = []
        size = 0
        for rule in self._rules.values():
            if not rule.public:
                continue
            more = known[rule.name].without_silence
            if size + more <= MAX_ARCS:
                size += more
                fitting.append(rule)
                continue
            message = f"up to <{rule.name}> {about(size + more)} arcs, the limit is {MAX_ARCS:,}"
            self._mistakes.note(self._error(message, rule.line))
        return fitting

    def _sizes(self) -> dict[str, _Size]:
        """Sizes of all rules, those first that others refer to; a rule within itself counts as one arc."""
        known: dict[str, _Size] = {}
        entered: set[str] = set()
        for start in self._rules:
            waiting = [start]
            while waiting:
                name = waiting[-1]
                body = self._rules[name].body
                if name not in entered:
                    entered.add(name)
                    waiting += [r.name for r in references(body) if r.name not in entered]
                    continue
                waiting.pop()
                if name not in known:
                    known[name] = _Size(*(1 + arcs for arcs in self._size(body, known)))
        return known

    def _size(self, item: Expansion, known: dict[str, _Size]) -> _Size:
        """Arcs that ``item`` becomes, about."""
        if isinstance(item, Reference):
            return known.get(item.name, _Size(1, 1))
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
        words = 1 + item.text.count(" ") if isinstance(item, Token) else 1
        return _Size(words, words)

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


def shortened(names: Sequence[str]) -> list[str]:
    """Rule names for a message: the first and last of many."""
    shown = [f"<{name}>" for name in names]
    return shown if len(shown) <= 12 else [*shown[:6], "...", *shown[-6:]]


def _is_silent(item: Expansion, silent: set[str]) -> bool:
    """Can ``item`` be said by saying nothing, given the rules that can?"""
    if isinstance(item, Reference):
        return item.name in silent
    if isinstance(item, Chain):
        return all(_is_silent(part, silent) for part in item.items)
    if isinstance(item, Choice):
        return any(weight > 0 and _is_silent(part, silent) for part, weight in item.items)
    if isinstance(item, Repeat | Tagged):
        return _is_silent(item.item, silent)
    return isinstance(item, Null)


def _choice(ways: list[tuple[Expansion, float]]) -> Expansion | None:
    if not ways:
        return None
    return ways[0][0] if len(ways) == 1 else Choice(tuple(ways))
