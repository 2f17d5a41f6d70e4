"""From hassil's expression trees to fragments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hassil import (
    Alternative,
    Expression,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.expression import Group

from edge_asr.decoder.grammar.builtin import builtin_network, converter, placeholder_network
from edge_asr.decoder.grammar.fragments import FragmentNetwork
from edge_asr.decoder.grammar.located_yaml import Text
from edge_asr.decoder.grammar.number_range import CONVERT as NUMBER_CONVERTER
from edge_asr.decoder.grammar.number_range import spelled_network
from edge_asr.decoder.grammar.template_file import Block, Builtin, NumberRange, RunTimeList, TextValue
from edge_asr.decoder.grammar.template_scope import Scope, fits, place_error, slot_name
from edge_asr.decoder.network import Mark, Placeholder, SlotClose, SlotFixed, SlotOpen, WordNetwork


class SentenceBuilder:
    """Puts the expressions of one sentence into a fragment network."""

    def __init__(self, scope: Scope, block: Block) -> None:
        self._scope = scope
        self._block = block

    def sentence(self, text: Text) -> FragmentNetwork:
        """The fragments of a sentence that was measured.

        Raises
        ------
        GrammarError: something in it cannot be said here, or it grows too large.
        """
        self._fragments = FragmentNetwork(text.source)
        last = self._fragments.add_node()
        self._add(self._scope.parse(text), FragmentNetwork.START, last, text)
        self._fragments.add(last, FragmentNetwork.END, line=self._scope.line(text))
        return self._fragments

    def _add(self, expression: Expression, source: int, target: int, place: Text) -> None:
        if isinstance(expression, TextChunk):
            self._add_text(expression.text, source, target, place)
        elif isinstance(expression, Permutation):
            self._add_permutation(expression, source, target, place)
        elif isinstance(expression, Alternative):
            for item in expression.items:
                self._add(item, source, target, place)
        elif isinstance(expression, Group):
            for item in expression.items[:-1]:
                after = self._fragments.add_node()
                self._add(item, source, after, place)
                source = after
            if expression.items:
                self._add(expression.items[-1], source, target, place)
            else:
                self._fragments.add(source, target, line=self._scope.line(place))
        elif isinstance(expression, RuleReference):
            body = self._scope.rules[expression.rule_name]
            self._add(self._scope.parse(body), source, target, body)
        elif isinstance(expression, ListReference):
            self._add_list(expression, source, target, place)

    def _add_text(self, text: str, source: int, target: int, place: Text) -> None:
        try:
            self._fragments.add_text(source, target, text, self._scope.line(place))
        except ValueError as error:
            raise place_error(str(error), place) from error

    def _add_permutation(self, group: Permutation, source: int, target: int, place: Text) -> None:
        """One node for every set of items already said, so n items need 2^n nodes and not n! ways."""
        everything = (1 << len(group.items)) - 1
        nodes = {0: source, everything: target}
        for said in range(everything):
            for i, item in enumerate(group.items):
                if not said >> i & 1:
                    after = said | 1 << i
                    if after not in nodes:
                        nodes[after] = self._fragments.add_node()
                    self._add(item, nodes[said], nodes[after], place)

    def _add_list(self, reference: ListReference, source: int, target: int, place: Text) -> None:
        entries = self._scope.slot_list(reference, place)
        # {area:@name} is heard but fills no slot: Home Assistant uses it in its answer only.
        slot = None if reference.is_capture else slot_name(reference)
        inside = self._add_marks(source, [SlotOpen(slot)] if slot else [], place)
        if isinstance(entries, NumberRange):
            self._add_range(entries, slot, inside, target, place)
            return
        if isinstance(entries, Builtin):
            close = SlotClose(slot, convert=converter(entries.name)) if slot else None
            self._add_closed(builtin_network(entries.name), close, inside, target, place)
            return
        if isinstance(entries, RunTimeList):
            words = placeholder_network(Placeholder(str(reference.list_name), slot))
            self._fragments.add_network(inside, target, words, self._scope.line(place))
            return
        fitting = [value for value in getattr(entries, "values", ()) if fits(value, self._block)]
        if not fitting:
            raise place_error(f"no value of the list {reference.list_name!r} can be said here", place)
        for value in fitting:
            after = self._fragments.add_node()
            if value.is_template:
                self._add(self._scope.parse(value.spoken), inside, after, value.spoken)
            else:
                self._add_text(value.spoken, inside, after, value.spoken)
            marks: list[Mark] = [SlotClose(slot, value.out)] if slot else []
            after = self._add_marks(after, marks + self._context_slots(value), value.spoken)
            self._fragments.add(after, target, line=self._scope.line(value.spoken))

    def _add_range(
        self, entries: NumberRange, slot: str | None, source: int, target: int, place: Text
    ) -> None:
        """Numbers share their words; so do their values, unless a multiplier makes them others."""
        if entries.multiplier is not None and slot:
            for digits, value in entries.numbers():
                words = self._spelled((digits,), place)
                self._add_closed(words, SlotClose(slot, value), source, target, place)
        else:
            words = self._spelled(tuple(digits for digits, _ in entries.numbers()), place)
            close = SlotClose(slot, convert=NUMBER_CONVERTER) if slot else None
            self._add_closed(words, close, source, target, place)

    def _spelled(self, numbers: tuple[str, ...], place: Text) -> WordNetwork:
        try:
            return spelled_network(numbers)
        except ValueError as error:
            raise place_error(str(error), place) from error

    def _add_closed(
        self, words: WordNetwork, mark: Mark | None, source: int, target: int, place: Text
    ) -> None:
        """Whole words, then the mark that closes their slot."""
        after = self._fragments.add_node()
        self._fragments.add_network(source, after, words, self._scope.line(place))
        self._fragments.add(after, target, mark=mark, line=self._scope.line(place))

    def _add_marks(self, source: int, marks: Sequence[Mark], place: Text) -> int:
        """Marks in a row; return the node behind them."""
        for mark in marks:
            after = self._fragments.add_node()
            self._fragments.add(source, after, mark=mark, line=self._scope.line(place))
            source = after
        return source

    def _context_slots(self, value: TextValue) -> list[Mark]:
        """The value's context where requires_context asks for it as a slot."""
        marks: list[Mark] = []
        for key, wanted in self._block.requires_context.items():
            name: Any = wanted.get("slot") if isinstance(wanted, dict) else None
            given = value.context.get(key)
            given = given.get("value") if isinstance(given, dict) else given
            if name and isinstance(given, str | int | float):
                marks.append(SlotFixed(name if isinstance(name, str) else key, given))
        return marks
