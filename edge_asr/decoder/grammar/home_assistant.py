"""Home Assistant's own sentences for a given home, from the package ``home-assistant-intents``.

A file that describes the home is a grammar::

    home_assistant:
      areas: [Kitchen, {name: Living room, aliases: [lounge]}]
      floors: [Ground floor]
      entities:
        - {name: Ceiling lamp, domain: light, area: Kitchen, aliases: [big light]}
        - {name: Front door, domain: lock}
      scenes: [Movie night]

Intents and slots are Home Assistant's (``HassTurnOn`` with ``name``, ``area``, ``domain`` ...); the value
of ``name``, ``area`` and ``floor`` is the name as it is written here, also where an alias was said. More
keys:

- ``sentences``: ``all`` (what Home Assistant understands as text) or ``spoken`` (the shorter set that it
  gives to speech recognizers, without scenes). Default ``all``.
- ``open_slots``: true also takes sentences with words that nobody wrote down ("add milk to the shopping
  list"); every one of some sixty such places makes the graph larger. Default false.

``intents``, ``lists`` and so on beside ``home_assistant`` add sentences of one's own (``templates.py``),
which may use ``{name}``, ``{area}`` and ``{floor}`` too.

Sentences that this home cannot use are left out and counted: those about domains, floors or areas that
it lacks, and open slots. Where Home Assistant takes the area from the device that listens ("turn on the
lights") the sentence has no slot ``area``. Words of the package that a lexicon lacks are left out; the
names of the home must be known.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hassil import Expression, ListReference, RuleReference
from hassil.expression import Group

from edge_asr.decoder.grammar.builtin import ANYTHING
from edge_asr.decoder.grammar.home import Home, read_home
from edge_asr.decoder.grammar.located_yaml import Text, Value, as_value
from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.decoder.grammar.template_file import Block, Builtin, TemplateFile, TextValues, template_file
from edge_asr.decoder.grammar.template_scope import Scope, fits
from edge_asr.decoder.grammar.templates import HOME, templates_network
from edge_asr.decoder.grammar.text_file import read_utf8
from edge_asr.decoder.grammar.yaml_parser import parse_yaml
from edge_asr.decoder.network import WordArc, WordNetwork
from edge_asr.errors import GrammarError, MissingExtraError

_USED_KEYS = ("sentences", "slots", "requires_context", "excludes_context", "expansion_rules", "lists")
"""What has a meaning here of a block of the package."""
_FRACTION = re.compile(r"\d\s*/\s*\d")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class HomeGrammar:
    """The sentences of a home."""

    network: WordNetwork
    sentences: int
    """Templates in use."""
    skipped: dict[str, int]
    """Templates left out, by the reason."""


def parse_home(top: Value, name: str, mistakes: Mistakes | None = None) -> HomeGrammar:
    """The grammar of a YAML file with the key ``home_assistant``.

    Parameters
    ----------
    mistakes: takes note of areas, floors, entities, names and sentences of its own that are wrong; without
        it they are raised.

    Raises
    ------
    GrammarError: a mistake in it, with its line; or nothing to say.
    MissingExtraError: the package is not installed.
    """
    keys = dict(top.mapping("the file"))
    mistakes = mistakes or Mistakes()
    home = read_home(keys.pop(HOME), mistakes)
    own = None
    if keys:
        keys.setdefault(Text("language", name, 0), as_value(home.language, name))
        own = template_file(Value(keys, top.source, top.line), mistakes)
    return home_grammar(home, own=own, name=name, mistakes=mistakes)


def read_home_file(path: Path) -> Home:
    """The home that a YAML file describes, without further sentences of its own.

    Raises
    ------
    GrammarError: the file cannot be read, or a mistake in it, with its line.
    """
    keys = parse_yaml(read_utf8(path), path.name).mapping("the file")
    if HOME not in keys:
        raise GrammarError(f"expected a key {HOME!r}, found none", source=path.name)
    return read_home(keys[HOME])


def home_grammar(
    home: Home, *, own: TemplateFile | None = None, name: str = HOME, mistakes: Mistakes | None = None
) -> HomeGrammar:
    """Home Assistant's sentences for a home.

    Parameters
    ----------
    own: further sentences.
    name: what a result gives as its network.
    mistakes: takes note of names and sentences that are wrong; without it they are raised.

    Raises
    ------
    GrammarError: a mistake in a name or in ``own``, or nothing to say.
    MissingExtraError: the package is not installed.
    """
    mistakes = mistakes or Mistakes()
    file = package_file(home)
    file.lists |= home.lists()
    skipped, naming = _skip(file, home)
    if mistakes.tolerant and own is None:
        _note_the_unsayable(home, naming, mistakes)
    sentences = sum(len(block.sentences) for blocks in file.intents.values() for block in blocks)
    if own is not None:
        file.merge(own, name, mistakes)
    network = templates_network(file, name, mistakes)
    # What comes from the package stands in no line.
    network.arcs = [
        WordArc(a.source, a.target, a.word, a.mark, a.weight, a.line, optional=a.line == 0)
        for a in network.arcs
    ]
    _log.info(
        "%s: %d of Home Assistant's sentences; left out: %s",
        name,
        sentences,
        "; ".join(f"{count} for {reason}" for reason, count in sorted(skipped.items())) or "none",
    )
    return HomeGrammar(network=network, sentences=sentences, skipped=skipped)


def package_file(home: Home) -> TemplateFile:
    """The sentences of the package, without lists of names.

    Raises
    ------
    GrammarError: the package lacks the language.
    MissingExtraError: it is not installed.
    """
    try:
        import home_assistant_intents
    except ImportError as error:
        raise MissingExtraError("home-assistant-intents", "home-assistant", "a home as a grammar") from error
    load = {
        "all": home_assistant_intents.get_intents,
        "spoken": home_assistant_intents.get_speech_to_phrase_intents,
    }[home.sentences]
    data: dict[str, Any] | None = load(home.language)
    if data is None:
        raise GrammarError(f"home-assistant-intents has no {home.sentences} sentences in {home.language!r}")
    for intent in data["intents"].values():
        intent["data"] = [{key: block[key] for key in _USED_KEYS if key in block} for block in intent["data"]]
    for entries in data["lists"].values():
        if "values" in entries:
            # "1/2" stands beside "half" for those who type.
            entries["values"] = [v for v in entries["values"] if not _FRACTION.search(_spoken(v))]
    frame = {key: data[key] for key in ("language", "intents", "lists", "expansion_rules", "skip_words")}
    return template_file(as_value(frame, "home-assistant-intents"))


def _spoken(value: Any) -> str:
    return str(value["in"] if isinstance(value, dict) else value)


def _note_the_unsayable(home: Home, naming: list[Block], mistakes: Mistakes) -> None:
    """Note the entities that none of the blocks ``naming`` entities may name."""
    names = home.lists()["name"]
    assert isinstance(names, TextValues)
    sayable = {(v.out, v.context["domain"]) for v in names.values if any(fits(v, block) for block in naming)}
    for entity in home.entities:
        if (entity.name, entity.domain) not in sayable:
            sentences = (
                "of Home Assistant's sentences" if home.sentences == "all" else "of the spoken sentences"
            )
            message = f"{entity.name!r} cannot be said: none {sentences} names a {entity.domain}"
            mistakes.note(GrammarError(message, source=home.source, line=entity.line))


def _skip(file: TemplateFile, home: Home) -> tuple[dict[str, int], list[Block]]:
    """Take out of ``file`` what the home cannot use.

    Returns
    -------
    How many sentences for which reason, and the blocks that are left and name an entity.
    """
    skipped: Counter[str] = Counter()
    naming: list[Block] = []
    shared = Scope(file, file.rules, file.lists, Mistakes())
    for intent, blocks in file.intents.items():
        kept = []
        for block in blocks:
            scope = shared
            if block.rules or block.lists:
                lists, rules = {**file.lists, **block.lists}, {**file.rules, **block.rules}
                scope = Scope(file, rules, lists, Mistakes())
            usable = []
            for sentence in block.sentences:
                references = list(_lists(scope.parse(sentence), scope))
                reasons = (_lacking(str(r.list_name), block, scope, home) for r in references)
                if reason := next(filter(None, reasons), ""):
                    skipped[reason] += 1
                else:
                    usable.append(sentence)
                    if any(r.list_name == "name" for r in references) and block not in naming[-1:]:
                        naming.append(block)
            if usable:
                block.sentences[:] = usable
                kept.append(block)
        file.intents[intent] = kept
    return dict(skipped), naming


def _lists(expression: Expression, scope: Scope) -> Iterator[ListReference]:
    """All lists that an expression refers to, those of its rules included."""
    if isinstance(expression, ListReference):
        yield expression
    elif isinstance(expression, RuleReference):
        body = scope.rules.get(expression.rule_name)
        if body is not None:
            yield from _lists(scope.parse(body), scope)
    elif isinstance(expression, Group):
        for item in expression.items:
            yield from _lists(item, scope)


def _lacking(name: str, block: Block, scope: Scope, home: Home) -> str:
    """Why nothing can be said for the list; empty if something can."""
    entries = scope.lists.get(name)
    if entries == Builtin(ANYTHING) and not home.open_slots:
        return "open slots"
    if not isinstance(entries, TextValues):
        return ""
    if any(fits(value, block) for value in entries.values):
        return ""
    domains = block.requires_context.get("domain")
    if name == "name" and isinstance(domains, list):
        return f"no {' or '.join(map(str, domains))}"
    return f"no {name}"
