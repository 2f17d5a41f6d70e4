"""What is wrong within the rules of a JSGF grammar becomes <VOID>: then it costs only what needs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from edge_asr.decoder.grammar.jsgf_tags import parse_tag
from edge_asr.decoder.grammar.jsgf_tree import (
    Chain,
    Choice,
    Expansion,
    Grammar,
    Reference,
    Repeat,
    Rule,
    Tagged,
    Token,
    Void,
)
from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.decoder.grammar.words import phrase, plain_words
from edge_asr.errors import GrammarError, GrammarSizeError

LONGEST_ROW = 150
"""Rules that may refer to one another in a row; Python's stack holds hardly more."""


def sound_rules(grammar: Grammar, source: str, mistakes: Mistakes) -> dict[str, Rule]:
    """The rules, with <VOID> for references to nothing, words without a spoken form and senseless tags.

    Every mistake is noted, and every rule of which nothing is left.
    """
    sound: dict[str, Rule] = {}
    for rule in grammar.rules.values():

        def fault(item: Expansion) -> bool:
            message = _fault(item, grammar)
            if message is None:
                return False
            mistakes.note(GrammarError(message, source=source, line=getattr(item, "line", None)))
            return True

        sound[rule.name] = Rule(rule.name, _without(rule.body, fault), rule.public, rule.line)
    if mistakes.found:
        _note_what_is_lost(grammar.rules, sound, source, mistakes)
    return sound


def references(item: Expansion) -> Iterator[Reference]:
    """All references within ``item``."""
    if isinstance(item, Reference):
        yield item
    elif isinstance(item, Repeat | Tagged):
        yield from references(item.item)
    elif isinstance(item, Chain):
        for part in item.items:
            yield from references(part)
    elif isinstance(item, Choice):
        for part, _ in item.items:
            yield from references(part)


def without(item: Expansion, reference: Reference) -> Expansion:
    """``item`` with <VOID> in the place of this very reference."""
    return _without(item, lambda part: part is reference)


def grow(rules: dict[str, Rule], holds: Callable[[Expansion, set[str]], bool], source: str) -> set[str]:
    """The smallest set of rules for which ``holds`` of their bodies, given that set.

    Raises
    ------
    GrammarSizeError: rules refer to one another in too long a row.
    """
    using: dict[str, set[str]] = {}
    for name, rule in rules.items():
        for reference in references(rule.body):
            using.setdefault(reference.name, set()).add(name)
    found: set[str] = set()
    waiting = set(rules)
    for _ in range(LONGEST_ROW):
        grown = {name for name in waiting if holds(rules[name].body, found)}
        found |= grown
        waiting = {user for name in grown for user in using.get(name, ())} - found
        if not waiting:
            return found
    line = min(rules[name].line for name in waiting)
    raise GrammarSizeError(
        f"rules refer to one another in too long a row: more than {LONGEST_ROW}", source=source, line=line
    )


def _without(item: Expansion, fault: Callable[[Expansion], bool]) -> Expansion:
    """``item`` with <VOID> in the place of each part that is at fault; ``item`` itself where none is."""
    if fault(item):
        return Void()
    if isinstance(item, Tagged):
        inner = _without(item.item, fault)
        return item if inner is item.item else Tagged(inner, item.tag, item.line)
    if isinstance(item, Repeat):
        inner = _without(item.item, fault)
        return item if inner is item.item else Repeat(inner)
    if isinstance(item, Chain):
        parts = tuple(_without(part, fault) for part in item.items)
        return item if all(map(_is, parts, item.items)) else Chain(parts)
    if isinstance(item, Choice):
        ways = tuple((_without(part, fault), weight) for part, weight in item.items)
        kept = all(new is old for (new, _), (old, _) in zip(ways, item.items, strict=True))
        return item if kept else Choice(ways)
    return item


def _is(one: Expansion, other: Expansion) -> bool:
    return one is other


def _fault(item: Expansion, grammar: Grammar) -> str | None:
    """What is wrong with ``item`` itself."""
    if isinstance(item, Reference) and item.name not in grammar.rules:
        if item.name in grammar.refused:
            return f"<{item.name}> is left out: see line {grammar.refused[item.name]}"
        return f"there is no rule <{item.name}>"
    try:
        if isinstance(item, Token) and not plain_words(item.text):
            phrase(item.text)
        elif isinstance(item, Tagged):
            parse_tag(item.tag)
    except ValueError as error:
        return str(error)
    return None


def _note_what_is_lost(
    before: dict[str, Rule], after: dict[str, Rule], source: str, mistakes: Mistakes
) -> None:
    """Note the rules that could be said but for the mistakes."""
    could = grow(before, lambda item, said: _sayable(item, said, before), source)
    can = grow(after, lambda item, said: _sayable(item, said, before), source)
    for name, rule in after.items():
        if name in could and name not in can:
            lost = next((r.name for r in references(before[name].body) if r.name not in can), None)
            why = f"it needs <{lost}>" if lost else "nothing else of it can be said"
            mistakes.note(GrammarError(f"<{name}> is left out: {why}", source=source, line=rule.line))


def _sayable(item: Expansion, said: set[str], rules: Collection[str]) -> bool:
    """Is there a way to say ``item``, given the rules that can be said? Those that are absent could."""
    if isinstance(item, Reference):
        return item.name in said or item.name not in rules
    if isinstance(item, Repeat | Tagged):
        return _sayable(item.item, said, rules)
    if isinstance(item, Chain):
        return all(_sayable(part, said, rules) for part in item.items)
    if isinstance(item, Choice):
        return any(weight > 0 and _sayable(part, said, rules) for part, weight in item.items)
    return not isinstance(item, Void)
