"""The rules and lists that a block of sentences sees, and whether a sentence may use them as it does."""

from __future__ import annotations

from hassil import (
    Expression,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
    check_excluded_context,
    check_required_context,
    parse_sentence,
)
from hassil.expression import Group
from hassil.parser import ParseError

from edge_asr.decoder.grammar.builtin import NAMESPACE, builtin_network, known_builtins
from edge_asr.decoder.grammar.located_yaml import Text
from edge_asr.decoder.grammar.template_file import (
    Block,
    Builtin,
    NumberRange,
    RunTimeList,
    SlotList,
    TemplateFile,
    TextValue,
)
from edge_asr.errors import GrammarError

_ARCS_PER_NUMBER = (8, 32)
"""Rough size of one number below and from a thousand: words, white space, marks, all ways to say it."""
_ARCS_AROUND = 8
"""White space and marks around whole words."""
_DEEPEST = 50
"""Brackets within brackets."""


class Scope:
    """The rules and lists that a block sees."""

    def __init__(self, file: TemplateFile, rules: dict[str, Text], lists: dict[str, SlotList]) -> None:
        self.rules = rules
        self.lists = lists
        self._language = file.language
        self._parsed: dict[str, Expression] = {}
        self._sizes: dict[str, int] = {}

    def parse(self, text: Text) -> Expression:
        """hassil's expression tree of a template."""
        if text not in self._parsed:
            if _depth(text) > _DEEPEST:
                raise place_error(f"brackets are nested deeper than {_DEEPEST}", text)
            try:
                self._parsed[text] = parse_sentence(str(text)).expression
            except (ParseError, AssertionError, ValueError) as error:
                raise place_error(f"cannot parse the template {str(text)!r}: {error}", text) from error
        return self._parsed[text]

    def measure(self, sentence: Text) -> int:
        """Check every reference within ``sentence``; return about how many arcs its network takes.

        Raises
        ------
        GrammarError: an unknown rule or list, or rules within themselves.
        """
        try:
            return self._size(self.parse(sentence), sentence, ())
        except RecursionError:
            raise place_error("rules refer to one another in too long a row", sentence) from None

    def slot_list(self, reference: ListReference, place: Text) -> SlotList:
        """The list that ``{...}`` names, or the range that it spells (``{0..100:brightness}``)."""
        if reference.list_name in self.lists:
            return self.lists[reference.list_name]
        namespace, _, name = str(reference.list_name).rpartition(".")
        if namespace == NAMESPACE:
            if name not in known_builtins():
                raise place_error(
                    f"there is no built-in {reference.list_name!r}; known: {', '.join(known_builtins())}",
                    place,
                )
            return Builtin(name)
        inline = reference.get_inline_range()
        if inline is None:
            raise place_error(f"there is no list {reference.list_name!r}", place)
        start, stop, step = inline
        if start > stop or step < 1:
            raise place_error(f"expected a range that rises, got {{{reference.list_name}}}", place)
        return NumberRange(start, stop, step, (), None)

    def text(self, text: str, place: Text) -> str:
        """``text`` if its digits can be spelled."""
        if not self._language.lower().startswith("en") and any(character.isdigit() for character in text):
            raise place_error(f"numbers are spelled in English only, not in {self._language!r}", place)
        return text

    def _size(self, expression: Expression, place: Text, within: tuple[str, ...]) -> int:
        """Arcs that ``expression`` becomes, about. ``within`` names the rules and lists around it."""
        if isinstance(expression, TextChunk):
            return 1 + 2 * len(self.text(expression.text, place).split())
        if isinstance(expression, Permutation):
            # Each item stands once behind every choice of items that were said before it.
            return sum(self._size(i, place, within) for i in expression.items) << (len(expression.items) - 1)
        if isinstance(expression, Group):
            return 1 + sum(self._size(item, place, within) for item in expression.items)
        if isinstance(expression, RuleReference):
            label = f"<{expression.rule_name}>"
            if expression.rule_name not in self.rules:
                raise place_error(f"there is no expansion rule {label}", place)
            body = self.rules[expression.rule_name]
            return self._named(label, place, within, [body], [body])
        if isinstance(expression, ListReference):
            return self._list_size(expression, place, within)
        raise place_error(f"{type(expression).__name__} is not supported in a template", place)

    def _list_size(self, reference: ListReference, place: Text, within: tuple[str, ...]) -> int:
        entries = self.slot_list(reference, place)
        if isinstance(entries, NumberRange):
            self.text("0", place)
            largest = max(abs(entries.start), abs(entries.stop))
            return len(entries) * _ARCS_PER_NUMBER[largest >= 1000]
        if isinstance(entries, Builtin):
            return len(builtin_network(entries.name).arcs) + _ARCS_AROUND
        if isinstance(entries, RunTimeList):
            return 1 + _ARCS_AROUND
        texts = [value.spoken for value in entries.values]
        templates = [value.spoken for value in entries.values if value.is_template]
        return self._named(f"{{{reference.list_name}}}", place, within, texts, templates)

    def _named(
        self, label: str, place: Text, within: tuple[str, ...], texts: list[Text], templates: list[Text]
    ) -> int:
        """Size of a rule or list, computed once. Plain texts count a few arcs each."""
        if label in within:
            cycle = " -> ".join((*within[within.index(label) :], label))
            raise place_error(f"{cycle}: a rule cannot contain itself", place)
        if label not in self._sizes:
            inner = sum(self._size(self.parse(text), text, (*within, label)) for text in templates)
            self._sizes[label] = inner + 4 * len(texts)
        return self._sizes[label]


def slot_name(reference: ListReference) -> str:
    """The slot that a list fills; without a name of its own, that of the list or the built-in."""
    name = str(reference.slot_name)
    return name.removeprefix(f"{NAMESPACE}.") if name == reference.list_name else name


def fits(value: TextValue, block: Block) -> bool:
    """Does the value's own context allow it in this block?"""
    required = check_required_context(block.requires_context, value.context, allow_missing_keys=True)
    return bool(required and check_excluded_context(block.excludes_context, value.context))


def _depth(text: str) -> int:
    """How many brackets are open at most, escaped ones included."""
    depth = deepest = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    return deepest


def place_error(message: str, place: Text) -> GrammarError:
    """An error about the text ``place``."""
    return GrammarError(message, source=place.source, line=place.line)
