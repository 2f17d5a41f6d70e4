"""The tree of a JSGF grammar: what ``jsgf_parser.py`` makes of its text."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Token:
    """Words to say."""

    text: str
    line: int


@dataclass(frozen=True)
class Reference:
    """<rule>"""

    name: str
    line: int


@dataclass(frozen=True)
class Imported:
    """<grammar.rule> of a grammar that is built in, or <lists.name>."""

    grammar: str
    name: str
    line: int


@dataclass(frozen=True)
class Null:
    """<NULL>: said by saying nothing."""


@dataclass(frozen=True)
class Void:
    """<VOID>: can never be said."""


@dataclass(frozen=True)
class Chain:
    """One after the other."""

    items: tuple[Expansion, ...]


@dataclass(frozen=True)
class Choice:
    """One of several, each with its weight (1 where none is written)."""

    items: tuple[tuple[Expansion, float], ...]


@dataclass(frozen=True)
class Repeat:
    """Once or more often. ``a*`` is a choice between this and Null."""

    item: Expansion


@dataclass(frozen=True)
class Tagged:
    """``item {tag}``"""

    item: Expansion
    tag: str
    line: int


Expansion = Token | Reference | Imported | Null | Void | Chain | Choice | Repeat | Tagged


def optional(item: Expansion) -> Choice:
    """``[item]``"""
    return Choice(((item, 1.0), (Null(), 1.0)))


@dataclass(frozen=True)
class Rule:
    """``public <name> = body;``"""

    name: str
    body: Expansion
    public: bool
    line: int


@dataclass
class Grammar:
    """All rules of a file in their order."""

    name: str
    rules: dict[str, Rule] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    """Rules that could not be read, with the line of the mistake."""
