"""JSGF text to a tree: lexer and recursive-descent parser. What the tree means is in jsgf.py.

A mistake costs the rule that it stands in: parsing goes on behind that rule's semicolon, or where the
next definition begins if the semicolon is what lacks.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from edge_asr.decoder.grammar.builtin import LISTS, NAMESPACE, known_builtins
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
    Void,
    optional,
)
from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.errors import GrammarError, GrammarSizeError

_DEEPEST = 100
"""Brackets within brackets, and tags behind one another."""
_LIGHTEST, _HEAVIEST = 1e-12, 1e12
"""Weights; only their logarithms matter."""
_MOST_LEXEMES = 1_000_000
"""Words and signs of one file: a hundred thousand sentences, or a hundred megabytes of memory."""

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


class _Lexeme(NamedTuple):
    kind: str
    """A group of ``_LEXEME``, ``end``, or ``stray``: then ``text`` is what is wrong here."""
    text: str
    line: int


def parse(text: str, source: str, mistakes: Mistakes | None = None) -> Grammar:
    """Parse a whole grammar.

    Parameters
    ----------
    mistakes: takes note of what is wrong with single rules; without it they are raised.

    Raises
    ------
    GrammarError: no header, no name, too many mistakes, or too long.
    """
    return _Parser(text.replace("\r\n", "\n").replace("\r", "\n"), source).grammar(mistakes or Mistakes())


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

    def grammar(self, mistakes: Mistakes) -> Grammar:
        grammar = Grammar(self._grammar_name())
        self._read_imports(grammar, mistakes)
        while self._lexemes[self._next].kind != "end":
            first = self._next
            try:
                rule = self._rule(grammar.name)
                if rule.name in grammar.rules:
                    line = grammar.rules[rule.name].line
                    raise self._error(f"rule <{rule.name}> stands in line {line} already", rule.line)
                grammar.rules[rule.name] = rule
            except GrammarError as error:
                mistakes.note(error)
                name = self._name_at(first)
                if name and name not in grammar.rules:
                    grammar.refused[name] = error.line or 0
                self._next = self._behind_rule(first)
        return grammar

    def _name_at(self, first: int) -> str:
        """Name of the rule whose definition begins with this lexeme; empty where none does."""
        public = self._lexemes[first].text == "public"
        named = self._lexemes[min(first + public, len(self._lexemes) - 1)]
        return named.text[1:-1].strip() if named.kind == "reference" else ""

    def _behind_rule(self, first: int) -> int:
        """The lexeme after the rule that begins with lexeme ``first`` and was refused."""
        for i in range(first, len(self._lexemes) - 1):
            here, after = self._lexemes[i], self._lexemes[i + 1]
            if here.kind == "sign" and here.text == ";":
                return i + 1
            if i > first + 1 and here.kind == "reference" and (after.kind, after.text) == ("sign", "="):
                before = self._lexemes[i - 1]
                return i - 1 if (before.kind, before.text) == ("token", "public") else i
        return len(self._lexemes) - 1

    def _split(self, text: str, start: int) -> list[_Lexeme]:
        lexemes: list[_Lexeme] = []
        line = text.count("\n", 0, start) + 1
        position = start
        while position < len(text):
            match = _LEXEME.match(text, position)
            if match is None:
                lexemes.append(_Lexeme("stray", _stray(text[position : position + 2]), line))
                position = len(text) if text.startswith("/*", position) else position + 1
            else:
                kind = match.lastgroup or ""
                if kind != "space":
                    lexemes.append(_Lexeme(kind, match.group(), line))
                line += match.group().count("\n")
                position = match.end()
            if len(lexemes) > _MOST_LEXEMES:
                raise GrammarSizeError(
                    f"expected up to {_MOST_LEXEMES:,} words and signs, got more",
                    source=self._source,
                    line=line,
                )
        lexemes.append(_Lexeme("end", "the end of the file", line))
        return lexemes

    def _grammar_name(self) -> str:
        word = self._take("token", "'grammar'")
        if word.text != "grammar":
            raise self._error(f"expected 'grammar NAME;', got {word.text!r}", word.line)
        name = self._take("token", "the name of the grammar").text
        self._take_sign(";")
        return name

    def _read_imports(self, grammar: Grammar, mistakes: Mistakes) -> None:
        """``import <edge_asr.number>;`` or ``import <edge_asr.*>;`` lets the rule be called <number>."""
        while (self._lexemes[self._next].kind, self._lexemes[self._next].text) == ("token", "import"):
            first = self._next
            try:
                self._read_import()
            except GrammarError as error:
                mistakes.note(error)
                named = self._lexemes[first + 1]
                if named.kind == "reference":
                    grammar.refused[named.text[1:-1].strip().rpartition(".")[2]] = error.line or 0
                self._next = self._behind_rule(first)

    def _read_import(self) -> None:
        self._next += 1
        named = self._take("reference", "what is imported, such as <edge_asr.number>")
        grammar, _, rule = named.text[1:-1].strip().rpartition(".")
        if rule == "*" and grammar == NAMESPACE:
            self._imported |= {name: (grammar, name) for name in known_builtins()}
        else:
            self._import(grammar, rule, named)
            self._imported[rule] = (grammar, rule)
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
        self._depth = 0
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
                raise self._error(f"expected a weight such as /2.5/, got {written.text:.40}", written.line)
            weight = float(digits.rstrip("f"))
            if weight and not _LIGHTEST <= weight <= _HEAVIEST:
                raise self._error(
                    f"expected a weight of 0 or from {_LIGHTEST:g} to {_HEAVIEST:g}, got {written.text:.40}",
                    written.line,
                )
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
        first = self._next
        while True:
            lexeme = self._peek()
            if self._next - first > _DEEPEST:
                raise self._error(f"more than {_DEEPEST} tags behind one another", lexeme.line)
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
        lexeme = self._lexemes[self._next]
        if lexeme.kind == "stray":
            raise self._error(lexeme.text, lexeme.line)
        return lexeme

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
            if lexeme.text == "=":
                why = " before the next rule"
            raise self._error(f"expected {sign!r}{why}, got {lexeme.text!r}", lexeme.line)
        self._next += 1

    def _error(self, message: str, line: int) -> GrammarError:
        shown = (
            message if len(message) <= 300 else f"{message[:300]}..."
        )  # a lexeme may be as long as the file
        return GrammarError(shown, source=self._source, line=line)


def _listed(names: tuple[str, ...]) -> str:
    return "expected one of " + ", ".join(f"<{NAMESPACE}.{name}>" for name in names)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) if "\\" in text else text


def _stray(text: str) -> str:
    """What is wrong where no lexeme begins."""
    unclosed = {"/*": "a comment without */", '"': "a quoted token without its closing quote"}
    unclosed |= {"{": "a tag without }", "<": "a rule name without >", "/": "a weight without its second /"}
    for opening, problem in unclosed.items():
        if text.startswith(opening):
            return problem
    return f"unexpected {text[0]!r}"
