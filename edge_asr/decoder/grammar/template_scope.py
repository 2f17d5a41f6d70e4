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
from edge_asr.decoder.grammar.numbers import LARGEST
from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.decoder.grammar.template_file import (
    Block,
    Builtin,
    NumberRange,
    RunTimeList,
    SlotList,
    TemplateFile,
    TextValue,
    TextValues,
)
from edge_asr.decoder.grammar.words import SPACE, Piece, pieces, plain_words
from edge_asr.errors import GrammarError

_ARCS_PER_NUMBER = (8, 32)
"""Rough size of one number below and from a thousand: words, white space, marks, all ways to say it."""
_ARCS_AROUND = 8
"""White space and marks around whole words."""
_DEEPEST = 50
"""Brackets within brackets."""
_FARTHEST = 10**9
"""End of a range that is still worth counting."""
_LONGEST = 20_000
"""Characters of one template; a choice of a thousand names belongs into a list."""


class Scope:
    """The rules and lists that a block sees.

    Where mistakes are noted, values of lists that cannot be spoken leave their list.
    """

    def __init__(
        self, file: TemplateFile, rules: dict[str, Text], lists: dict[str, SlotList], mistakes: Mistakes
    ) -> None:
        self.rules = rules
        self.lists = dict(lists)
        self._language = file.language
        self._first_lines = file.first_lines
        self._refused = dict(file.refused)
        self._mistakes = mistakes
        self._parsed: dict[str, Expression] = {}
        self._sizes: dict[str, int] = {}

    def line(self, place: Text) -> int:
        """Number of the text's line among those of all files of a directory; 0 where it has none."""
        return self._first_lines.get(place.source, 0) + place.line if place.line else 0

    def parse(self, text: Text) -> Expression:
        """hassil's expression tree of a template."""
        if text not in self._parsed:
            if len(text) > _LONGEST:
                raise place_error(
                    f"expected a template of up to {_LONGEST:,} characters, got {len(text):,}", text
                )
            if _depth(text) > _DEEPEST:
                raise place_error(f"brackets are nested deeper than {_DEEPEST}", text)
            try:
                self._parsed[text] = parse_sentence(str(text)).expression
            except (ParseError, AssertionError, ValueError) as error:
                message = f"cannot parse the template {_clipped(repr(str(text)))}: {_clipped(str(error))}"
                raise place_error(message, text) from error
        return self._parsed[text]

    def measure(self, sentence: Text) -> int:
        """Check every reference within ``sentence``; return about how many arcs its network takes.

        Raises
        ------
        GrammarError: an unknown rule or list, or rules within themselves.
        """
        if words := plain_words(sentence):
            return len(words)
        try:
            return self._size(self.parse(sentence), sentence, ())
        except RecursionError:
            raise place_error("rules refer to one another in too long a row", sentence) from None

    def slot_list(self, reference: ListReference, place: Text) -> SlotList:
        """The list that ``{...}`` names, or the range that it spells (``{0..100:brightness}``)."""
        if reference.list_name in self.lists:
            return self.lists[reference.list_name]
        label = f"{{{reference.list_name}}}"
        namespace, _, name = str(reference.list_name).rpartition(".")
        if namespace == NAMESPACE:
            if name not in known_builtins():
                raise place_error(
                    f"there is no built-in {_clipped(repr(reference.list_name))}; "
                    f"known: {', '.join(known_builtins())}",
                    place,
                )
            return Builtin(name)
        try:
            inline = reference.get_inline_range()
        except ValueError as error:  # thousands of digits
            raise place_error(f"expected a range of numbers, got {_clipped(label)}", place) from error
        if inline is None:
            self._refuse_refused(label, place)
            raise place_error(f"there is no list {_clipped(repr(reference.list_name))}", place)
        start, stop, step = inline
        if max(abs(start), abs(stop), step) > _FARTHEST:
            raise place_error(f"numbers go from -{LARGEST:,} to {LARGEST:,}, got {_clipped(label)}", place)
        if start > stop or step < 1:
            raise place_error(f"expected a range that rises, got {{{reference.list_name}}}", place)
        return NumberRange(start, stop, step, (), None)

    def speak(self, text: str, place: Text) -> tuple[Piece, ...]:
        """The parts of words that ``text`` is spoken as.

        Raises
        ------
        GrammarError: a number in a language other than English, or a sign without a spoken form.
        """
        self._refuse_numbers(text, place)
        try:
            return pieces(text)
        except ValueError as error:
            raise place_error(str(error), place) from error

    def _refuse_numbers(self, text: str, place: Text) -> None:
        if not self._language.lower().startswith("en") and any(character.isdigit() for character in text):
            raise place_error(f"numbers are spelled in English only, not in {self._language!r}", place)

    def _size(self, expression: Expression, place: Text, within: tuple[str, ...]) -> int:
        """Arcs that ``expression`` becomes, about. ``within`` names the rules and lists around it."""
        if isinstance(expression, TextChunk):
            return 1 + _arcs(self.speak(expression.text, place))
        if isinstance(expression, Permutation):
            # Each item stands once behind every choice of items that were said before it.
            return sum(self._size(i, place, within) for i in expression.items) << (len(expression.items) - 1)
        if isinstance(expression, Group):
            return 1 + sum(self._size(item, place, within) for item in expression.items)
        if isinstance(expression, RuleReference):
            return self._rule_size(expression, place, within)
        if isinstance(expression, ListReference):
            return self._list_size(expression, place, within)
        raise place_error(f"{type(expression).__name__} is not supported in a template", place)

    def _rule_size(self, reference: RuleReference, place: Text, within: tuple[str, ...]) -> int:
        label = f"<{reference.rule_name}>"
        self._refuse_refused(label, place)
        if reference.rule_name not in self.rules:
            raise place_error(f"there is no expansion rule {_clipped(label)}", place)
        _refuse_cycle(label, place, within)
        if label not in self._sizes:
            body = self.rules[reference.rule_name]
            with self._mistakes.spare():
                self._sizes[label] = 4 + self._size(self.parse(body), body, (*within, label))
            if label not in self._sizes:
                self._refused[label] = body.line
                self._refuse_refused(label, place)
        return self._sizes[label]

    def _list_size(self, reference: ListReference, place: Text, within: tuple[str, ...]) -> int:
        entries = self.slot_list(reference, place)
        label = f"{{{reference.list_name}}}"
        if isinstance(entries, NumberRange):
            self._refuse_numbers("0", place)
            largest = max(abs(entries.start), abs(entries.stop))
            return len(entries) * _ARCS_PER_NUMBER[largest >= 1000]
        if isinstance(entries, Builtin):
            return len(builtin_network(entries.name).arcs) + _ARCS_AROUND
        if isinstance(entries, RunTimeList):
            return 1 + _ARCS_AROUND
        _refuse_cycle(label, place, within)
        if label not in self._sizes:
            size = 0
            kept: list[TextValue] = []
            for value in entries.values:
                with self._mistakes.spare():
                    size += 4 + self._value_size(value, (*within, label))
                    kept.append(value)
            self._sizes[label] = size
            self.lists[reference.list_name] = TextValues(kept)
        return self._sizes[label]

    def _value_size(self, value: TextValue, within: tuple[str, ...]) -> int:
        if value.is_template:
            return self._size(self.parse(value.spoken), value.spoken, within)
        return _arcs(self.speak(value.spoken, value.spoken))

    def _refuse_refused(self, label: str, place: Text) -> None:
        if label in self._refused:
            raise place_error(f"it needs {label}, which is left out: see line {self._refused[label]}", place)


def _arcs(spoken: tuple[Piece, ...]) -> int:
    """Arcs that spoken text becomes, about."""
    return sum((piece != SPACE) if isinstance(piece, str) else sum(map(len, piece)) for piece in spoken)


def _refuse_cycle(label: str, place: Text, within: tuple[str, ...]) -> None:
    if label in within:
        cycle = " -> ".join((*within[within.index(label) :], label))
        raise place_error(f"{_clipped(cycle)}: a rule cannot contain itself", place)


def _clipped(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}..."


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
    return GrammarError(message, source=place.source, line=place.line or None)
