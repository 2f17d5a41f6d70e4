"""JSGF text to a tree: lexer and recursive-descent parser. What the tree means is in jsgf.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from edge_asr.decoder.grammar.builtin import LISTS, NAMESPACE, known_builtins
from edge_asr.errors import GrammarError

_DEEPEST = 100
"""Brackets within brackets."""

_HEADER = re.compile(r"\s*#JSGF[ \t]+V1\.0(?:[ \t]+[^\s;]+){0,2}[ \t]*;")
_LEXEME = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<reference><[^<>\n]*>)
      | (?P<quoted>"(?:[^"\\\n]|\\.)*")
      | (?P<tag>\{(?:[^{}\\]|\\.)*\})
      | (?P<weight>/(?!\*)[^/\n]*/)
      | (?P<sign>[;=|*+()\[\]])
      | (?P<token>(?:[^\s;=|*+<>()\[\]{}/"\\]|\\.)+)""",
    re.VERBOSE | re.DOTALL,
)
_RULE_NAME = re.compile(r"[\w$+\-:;,=|/\\()\[\]@#%!^&~]+(?:\.[\w$+\-:;,=|/\\()\[\]@#%!^&~]+)*\Z")


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


class _Lexeme(NamedTuple):
    kind: str
    text: str
    line: int


def parse(text: str, source: str) -> Grammar:
    """Parse a whole grammar.

    Raises
    ------
    GrammarError: the first mistake, with its line.
    """
    return _Parser(text.replace("\r\n", "\n").replace("\r", "\n"), source).grammar()


class _Parser:
    def __init__(self, text: str, source: str) -> None:
        self._source = source
        header = _HEADER.match(text)
        if header is None:
            first = text.strip().splitlines()[0][:40] if text.strip() else "nothing"
            raise self._error(f"expected the header '#JSGF V1.0;', got {first!r}", 1)
        self._lexemes = self._split(text, header.end())
        self._next = 0
        self._depth = 0
        self._imported: dict[str, tuple[str, str]] = {}
        """Short name -> grammar and rule."""
        # A rule of the file goes before an imported one of the same name.
        self._defined = {
            lexeme.text[1:-1].strip()
            for lexeme, after in pairwise(self._lexemes)
            if lexeme.kind == "reference" and after.kind == "sign" and after.text == "="
        }

    def grammar(self) -> Grammar:
        grammar = Grammar(self._grammar_name())
        self._read_imports()
        while self._peek().kind != "end":
            rule = self._rule(grammar.name)
            if rule.name in grammar.rules:
                first = grammar.rules[rule.name].line
                raise self._error(f"rule <{rule.name}> stands in line {first} already", rule.line)
            grammar.rules[rule.name] = rule
        return grammar

    def _split(self, text: str, start: int) -> list[_Lexeme]:
        lexemes: list[_Lexeme] = []
        line = text.count("\n", 0, start) + 1
        position = start
        while position < len(text):
            match = _LEXEME.match(text, position)
            if match is None:
                raise self._error(_stray(text[position:]), line)
            kind = match.lastgroup or ""
            if kind != "space":
                lexemes.append(_Lexeme(kind, match.group(), line))
            line += match.group().count("\n")
            position = match.end()
        lexemes.append(_Lexeme("end", "the end of the file", line))
        return lexemes

    def _grammar_name(self) -> str:
        word = self._take("token", "'grammar'")
        if word.text != "grammar":
            raise self._error(f"expected 'grammar NAME;', got {word.text!r}", word.line)
        name = self._take("token", "the name of the grammar").text
        self._take_sign(";")
        return name

    def _read_imports(self) -> None:
        """``import <edge_asr.number>;`` or ``import <edge_asr.*>;`` lets the rule be called <number>."""
        while self._peek().kind == "token" and self._peek().text == "import":
            self._next += 1
            named = self._take("reference", "what is imported, such as <edge_asr.number>")
            grammar, _, rule = named.text[1:-1].strip().rpartition(".")
            if rule == "*" and grammar == NAMESPACE:
                self._imported |= {name: (grammar, name) for name in known_builtins()}
            else:
                self._imported[rule] = (grammar, rule)
                self._import(grammar, rule, named)
            self._take_sign(";")

    def _import(self, grammar: str, rule: str, named: _Lexeme) -> Imported:
        """What a qualified name stands for."""
        if grammar not in (NAMESPACE, LISTS):
            raise self._error(
                f"{named.text} is a rule of another file: copy it into this one. Only <{NAMESPACE}.NAME> "
                f"and <{LISTS}.NAME> can be imported",
                named.line,
            )
        if grammar == NAMESPACE and rule not in known_builtins():
            raise self._error(f"there is no {named.text}: {_listed(known_builtins())}", named.line)
        return Imported(grammar, rule, named.line)

    def _rule(self, grammar_name: str) -> Rule:
        first = self._peek()
        if first.kind == "token" and first.text == "import":
            raise self._error("expected all imports before the first rule", first.line)
        public = first.kind == "token" and first.text == "public"
        if public:
            self._next += 1
        named = self._take("reference", "'public', or a rule name such as <rule>")
        name = self._reference_name(named, grammar_name)
        if name in ("NULL", "VOID"):
            raise self._error(f"<{name}> cannot be defined", named.line)
        self._take_sign("=")
        self._grammar = grammar_name
        body = self._choice()
        self._take_sign(";")
        return Rule(name, body, public, named.line)

    def _choice(self) -> Expansion:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"brackets are nested deeper than {_DEEPEST}", self._peek().line)
        items = [self._weighted_chain()]
        while self._peek().text == "|" and self._peek().kind == "sign":
            self._next += 1
            items.append(self._weighted_chain())
        self._depth -= 1
        if all(weight == 0 for _, weight in items):
            raise self._error("expected a weight above 0 for at least one alternative", self._peek().line)
        return items[0][0] if len(items) == 1 else Choice(tuple(items))

    def _weighted_chain(self) -> tuple[Expansion, float]:
        weight = 1.0
        if self._peek().kind == "weight":
            written = self._take("weight", "a weight")
            digits = written.text[1:-1].strip()
            if not re.fullmatch(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?f?", digits):
                raise self._error(f"expected a weight such as /2.5/, got {written.text}", written.line)
            weight = float(digits.rstrip("f"))
        items: list[Expansion] = []
        while (item := self._item()) is not None:
            items.append(item)
        if not items:
            got = self._peek()
            raise self._error(f"expected a word, a <rule>, ( or [, got {got.text!r}", got.line)
        return (items[0] if len(items) == 1 else Chain(tuple(items))), weight

    def _item(self) -> Expansion | None:
        """A token, reference or group with what is attached to it; None where the sequence ends."""
        lexeme = self._peek()
        item: Expansion
        if lexeme.kind in ("token", "quoted"):
            self._next += 1
            text = lexeme.text[1:-1] if lexeme.kind == "quoted" else lexeme.text
            item = Token(_unescape(text), lexeme.line)
        elif lexeme.kind == "reference":
            self._next += 1
            item = self._referenced(lexeme)
        elif lexeme.text in ("(", "["):
            self._next += 1
            inner = self._choice()
            self._take_sign(")" if lexeme.text == "(" else "]", opened=lexeme)
            item = inner if lexeme.text == "(" else optional(inner)
        elif lexeme.kind in ("tag", "weight") or lexeme.text in ("*", "+"):
            raise self._error(f"{lexeme.text} must follow a word, <rule>, ) or ]", lexeme.line)
        else:
            return None
        return self._with_operators(item)

    def _with_operators(self, item: Expansion) -> Expansion:
        repeated = False
        while True:
            lexeme = self._peek()
            if lexeme.kind == "tag":
                item = Tagged(item, _unescape(lexeme.text[1:-1]).strip(), lexeme.line)
            elif lexeme.kind == "sign" and lexeme.text in "*+":
                if repeated:
                    raise self._error("expected only one * or + : use brackets", lexeme.line)
                repeated = True
                item = optional(Repeat(item)) if lexeme.text == "*" else Repeat(item)
            else:
                return item
            self._next += 1

    def _referenced(self, lexeme: _Lexeme) -> Expansion:
        """A special rule, one of this file, or one that is imported or named in full."""
        grammar, _, rule = lexeme.text[1:-1].strip().rpartition(".")
        if grammar in (NAMESPACE, LISTS) and grammar != self._grammar:
            return self._import(grammar, rule, lexeme)
        name = self._reference_name(lexeme, self._grammar)
        if name in self._imported and name not in self._defined:
            return Imported(*self._imported[name], lexeme.line)
        special: dict[str, Expansion] = {"NULL": Null(), "VOID": Void()}
        return special.get(name, Reference(name, lexeme.line))

    def _reference_name(self, lexeme: _Lexeme, grammar_name: str) -> str:
        """The rule's own name; a reference may spell the grammar's name before it."""
        name = lexeme.text[1:-1].strip()
        if not _RULE_NAME.match(name):
            raise self._error(f"expected a rule name such as <rule>, got {lexeme.text}", lexeme.line)
        qualifier, _, own = name.rpartition(".")
        if qualifier and qualifier not in (grammar_name, grammar_name.rpartition(".")[2]):
            raise self._error(
                f"{lexeme.text} is a rule of another grammar: only <{NAMESPACE}.NAME> and <{LISTS}.NAME> "
                "can be used here",
                lexeme.line,
            )
        return own

    def _peek(self) -> _Lexeme:
        return self._lexemes[self._next]

    def _take(self, kind: str, expected: str) -> _Lexeme:
        lexeme = self._peek()
        if lexeme.kind != kind:
            raise self._error(f"expected {expected}, got {lexeme.text!r}", lexeme.line)
        self._next += 1
        return lexeme

    def _take_sign(self, sign: str, opened: _Lexeme | None = None) -> None:
        lexeme = self._peek()
        if lexeme.kind != "sign" or lexeme.text != sign:
            why = f" for the {opened.text} of line {opened.line}" if opened else ""
            raise self._error(f"expected {sign!r}{why}, got {lexeme.text!r}", lexeme.line)
        self._next += 1

    def _error(self, message: str, line: int) -> GrammarError:
        return GrammarError(message, source=self._source, line=line)


def _listed(names: tuple[str, ...]) -> str:
    return "expected one of " + ", ".join(f"<{NAMESPACE}.{name}>" for name in names)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _stray(text: str) -> str:
    """What is wrong where no lexeme begins."""
    unclosed = {"/*": "a comment without */", '"': "a quoted token without its closing quote"}
    unclosed |= {"{": "a tag without }", "<": "a rule name without >", "/": "a weight without its second /"}
    for opening, problem in unclosed.items():
        if text.startswith(opening):
            return problem
    return f"unexpected {text[0]!r}"
