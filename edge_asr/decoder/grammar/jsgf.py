r"""Grammars in the JSpeech Grammar Format 1.0 (W3C Note of 5 June 2000).

Example::

    #JSGF V1.0 UTF-8 en;
    grammar radio;

    public <Tune> = (tune to | play) <station>{station};
    public <Volume> = turn it (/3/ up {step=1} | /1/ down {step=-1});
    public <Power> = switch the radio on {intent:PowerOn} | switch the radio off {intent:PowerOff};

    <station> = radio four {station:R4} | "classic f m";

What tags mean here:

- The name of a public rule is the intent; ``{intent:Name}`` on the way replaces it. Of several, the
  last one counts. Public rules that other rules use set no intent there.
- ``expansion {slot}``: what is said for the expansion fills the slot.
- ``expansion {slot:value}``: likewise, but the slot's value is ``value``.
- ``expansion {slot=value}``: the slot is set when the expansion is said, unless words fill it too.
- A value that looks like a number becomes one; quotation marks around it keep it text and fall away.
  A value with a semicolon needs them.
- Any other tag is an error.

``import`` knows two grammars. ``edge_asr`` holds what is built in (numbers, times, dates and so on, see
``builtin/__init__.py``)::

    import <edge_asr.time>;
    public <Wake> = wake me at <time>{at};

A slot around such a rule and nothing else gets its value ("06:30"); otherwise the words. ``<anything>``
stands for one or more words that nobody wrote down. ``lists`` holds the lists that join when the
program runs (``Recognizer.join``)::

    import <lists.contact>;
    public <Call> = call <contact>{who} | message <contact>{who} saying <edge_asr.anything>{text};

Everything else of the format is read. Words are lower-cased, numbers in digits are
spelled out. The heaviest alternative is neutral and the others cost the logarithm of their share of
it; weight 0 is <VOID>. Recursion is allowed at the very end of a rule (``<many> = <one> | <one> and
<many>``). A rule that can be said by silence is read as if it could not.
"""

from __future__ import annotations

import codecs
import math
import re
from pathlib import Path

from edge_asr.decoder.grammar.builtin import LISTS, converter
from edge_asr.decoder.grammar.jsgf_parser import parse
from edge_asr.decoder.grammar.jsgf_rules import Rules, imported_network, shortened
from edge_asr.decoder.grammar.jsgf_soundness import LONGEST_ROW
from edge_asr.decoder.grammar.jsgf_tags import parse_tag
from edge_asr.decoder.grammar.jsgf_tree import (
    Chain,
    Choice,
    Expansion,
    Imported,
    Null,
    Reference,
    Repeat,
    Rule,
    Tagged,
    Token,
)
from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.text_file import decode, read_bytes
from edge_asr.decoder.grammar.words import add_phrase
from edge_asr.decoder.network import IntentMark, SlotClose, WordNetwork
from edge_asr.errors import GrammarError

_ENCODING = re.compile(rb"\s*#JSGF[ \t]+V1\.0[ \t]+([^\s;]+)")


def read_jsgf(path: Path, rejects: list[Reject] | None = None) -> WordNetwork:
    """The network of a JSGF file in the encoding that its header names, UTF-8 where it names none.

    Raises
    ------
    GrammarError: the file cannot be read; and as ``parse_jsgf``.
    """
    data = read_bytes(path)
    declared = _ENCODING.match(data.removeprefix(codecs.BOM_UTF8)[:200])
    encoding = declared[1].decode("ascii", "replace") if declared else "utf-8"
    try:
        encoding = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise GrammarError(f"unknown encoding {encoding!r} in the header", source=path.name, line=1) from None
    text = decode(data, path.name, "utf-8-sig" if encoding == "utf-8" else encoding)
    return parse_jsgf(text, path.name, rejects)


def parse_jsgf(text: str, name: str = "<string>", rejects: list[Reject] | None = None) -> WordNetwork:
    """The network of a JSGF text.

    With ``rejects`` a rule with a mistake in its syntax is left out, and any other mistake costs the
    alternative that it stands in; what needs a rule of which nothing is left is left out with it.

    Raises
    ------
    GrammarError: no header, no public rule that can be said, a network too large; or a mistake that
        ``rejects`` does not take note of, with its line.
    """
    mistakes = Mistakes(rejects)
    rules = Rules(parse(text, name, mistakes), name, mistakes)
    network = WordNetwork(name)
    refused: set[int] = set()
    for rule in rules.public():
        nodes, arcs = network.nodes, len(network.arcs)
        with mistakes.spare():
            try:
                node = network.add_node()
                network.add(network.start, node, mark=IntentMark(rule.name), line=rule.line)
                _Builder(rules, network, mistakes, refused).sentence(rule, node)
            except GrammarError:
                network.nodes = nodes
                del network.arcs[arcs:]
                raise
    network = network.trimmed()
    if not network.arcs:
        raise mistakes.nothing_left(name, "no public rule can be said: every way meets <VOID>")
    return network


class _Builder:
    """Puts one public rule into the network. Every method adds arcs between two given nodes.

    The last part of a rule leads straight to the rule's target, so a reference whose target is the
    end of a rule under way is recursion at its end: an arc back to that rule's start.
    """

    def __init__(self, rules: Rules, network: WordNetwork, mistakes: Mistakes, refused: set[int]) -> None:
        self._rules = rules
        self._network = network
        self._mistakes = mistakes
        self._under_way: dict[str, tuple[int, int]] = {}
        """Start and end of the rules around this place."""
        self._refused = refused
        """Ids of references at which recursion was noted as a mistake: they are <VOID> from then on."""

    def sentence(self, rule: Rule, source: int) -> None:
        try:
            body = self._rules.without_silence(Reference(rule.name, rule.line))
            if body is None:
                raise self._error(f"<{rule.name}> can only be said by silence", rule.line)
            self._add(body, source, self._network.end)
        except RecursionError:
            raise self._error("rules refer to one another in too long a row", rule.line) from None

    def _add(self, item: Expansion, source: int, target: int) -> None:
        if isinstance(item, Token):
            add_phrase(self._network, source, target, item.text, item.line)
        elif isinstance(item, Null):
            self._network.add(source, target)
        elif isinstance(item, Chain):
            for part in item.items[:-1]:
                after = self._network.add_node()
                self._add(part, source, after)
                source = after
            self._add(item.items[-1], source, target)
        elif isinstance(item, Choice):
            self._add_choice(item, source, target)
        elif isinstance(item, Repeat):
            self._add_repeat(item, source, target)
        elif isinstance(item, Reference):
            self._add_reference(item, source, target)
        elif isinstance(item, Imported):
            self._network.insert(imported_network(item), source, target, line=item.line)
        elif isinstance(item, Tagged):
            self._add_tagged(item, source, target)
        # What remains is Void: no way leads on.

    def _add_choice(self, item: Choice, source: int, target: int) -> None:
        heaviest = max(weight for _, weight in item.items)
        for alternative, weight in item.items:
            if weight == heaviest:
                self._add(alternative, source, target)
            elif weight > 0:
                after = self._network.add_node()
                self._network.add(source, after, weight=math.log(weight / heaviest))
                self._add(alternative, after, target)

    def _add_repeat(self, item: Repeat, source: int, target: int) -> None:
        if self._rules.is_silent(item.item):
            self._network.add(source, target)
        body = self._rules.without_silence(item.item)
        if body is None:
            return
        first, last = self._network.add_node(), self._network.add_node()
        self._network.add(source, first)
        self._add(body, first, last)
        self._network.add(last, first)
        self._network.add(last, target)

    def _add_reference(self, item: Reference, source: int, target: int) -> None:
        if id(item) in self._refused:
            return  # no way leads on
        if item.name in self._under_way:
            first, last = self._under_way[item.name]
            if last == target:
                self._network.add(source, first, line=item.line)
            else:
                self._mistakes.note(self._error(self._cycle(item.name), item.line))
                self._refused.add(id(item))
            return
        if len(self._under_way) == LONGEST_ROW:
            raise self._error(
                f"rules refer to one another in too long a row: more than {LONGEST_ROW}", item.line
            )
        # A start of its own: the way back must not meet the alternatives of the rules around.
        first = self._network.add_node()
        self._network.add(source, first, line=item.line)
        self._under_way[item.name] = (first, target)
        self._add(self._rules.body(item), first, target)
        del self._under_way[item.name]

    def _cycle(self, name: str) -> str:
        names = list(self._under_way)
        cycle = " -> ".join(shortened([*names[names.index(name) :], name]))
        return f"recursion is possible only at the end of a rule, without a tag: {cycle}"

    def _add_tagged(self, item: Tagged, source: int, target: int) -> None:
        opening, closing = parse_tag(item.tag)
        inner = self._network.add_node()
        if opening is not None:
            opened = self._network.add_node()
            self._network.add(source, opened, mark=opening, line=item.line)
            source = opened
            filling = item.item
            while isinstance(filling, Reference):
                filling = self._rules.body(filling)
            if isinstance(filling, Imported) and isinstance(closing, SlotClose) and closing.value is None:
                self._add_imported_slot(closing.name, filling, source, target)
                return
        self._add(item.item, source, inner)
        self._network.add(inner, target, mark=closing, line=item.line)

    def _add_imported_slot(self, slot: str, item: Imported, source: int, target: int) -> None:
        """What fills the slot has a value: that of the list's entry, or what the words mean."""
        words = imported_network(item, slot)
        if item.grammar != LISTS:
            inner = self._network.add_node()
            close = SlotClose(slot, convert=converter(item.name))
            self._network.add(inner, target, mark=close, line=item.line)
            target = inner
        self._network.insert(words, source, target, line=item.line)

    def _error(self, message: str, line: int) -> GrammarError:
        return GrammarError(message, source=self._network.name, line=line)
