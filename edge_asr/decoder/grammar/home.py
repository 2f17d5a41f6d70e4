"""What there is in a home: areas, floors and entities, by the names that people call them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_asr.decoder.grammar.located_yaml import Text, Value
from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.decoder.grammar.template_file import SlotList, TextValue, TextValues
from edge_asr.decoder.grammar.words import is_silent
from edge_asr.errors import GrammarError

_KEYS = {"language", "sentences", "open_slots", "areas", "floors", "entities", "scenes"}
_SENTENCES = ("all", "spoken")


@dataclass(frozen=True, kw_only=True)
class Named:
    """An area or a floor."""

    name: str
    """As it is written, and the slot's value."""
    aliases: tuple[str, ...] = ()
    """What else it is called."""
    line: int = 1
    """In the file, for messages; never 0."""


@dataclass(frozen=True, kw_only=True)
class Entity(Named):
    """Something that can be controlled or asked for."""

    domain: str
    """Home Assistant's: light, switch, cover, lock, climate, scene ..."""
    area: str = ""
    """Name of the area where it is, if that is known."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """All names of a home."""

    areas: Sequence[Named] = ()
    floors: Sequence[Named] = ()
    entities: Sequence[Entity] = ()
    sentences: str = "all"
    """``all`` that Home Assistant understands, or the shorter set that is meant to be ``spoken``."""
    open_slots: bool = False
    """Also sentences with words that nobody wrote down."""
    language: str = "en"
    source: str = "home"
    """Name of the file, for messages."""

    def __post_init__(self) -> None:
        if self.sentences not in _SENTENCES:
            raise ValueError(f"expected sentences {' or '.join(_SENTENCES)}, got {self.sentences!r}")
        for entity in self.entities:
            _refuse_unknown_area(entity, self.areas, self.source)

    def lists(self) -> dict[str, SlotList]:
        """``name``, ``area`` and ``floor`` as lists of a template."""
        return {
            "area": TextValues(self._values(self.areas)),
            "floor": TextValues(self._values(self.floors)),
            "name": TextValues(self._values(self.entities)),
        }

    def _values(self, things: Iterable[Named]) -> list[TextValue]:
        values = {}
        for thing in things:
            context = {}
            if isinstance(thing, Entity):
                context = {"domain": thing.domain} | ({"area": thing.area} if thing.area else {})
            for spoken in (thing.name, *thing.aliases):
                text = Text(spoken, self.source, thing.line)
                value = TextValue(text, is_template=False, out=thing.name, context=context)
                values[spoken.lower(), thing.name, context.get("domain")] = value
        return list(values.values())


def read_home(value: Value, mistakes: Mistakes | None = None) -> Home:
    """A home as YAML describes it (``home_assistant.py`` shows how).

    Parameters
    ----------
    mistakes: takes note of what is wrong with a single key, area, floor, entity or scene; without it that
        is raised.

    Raises
    ------
    GrammarError: a key or value that is not of this format, with its line.
    """
    mistakes = mistakes or Mistakes()
    keys = value.mapping("home_assistant")
    for key, entry in keys.items():
        if key not in _KEYS:
            mistakes.note(
                entry.error(
                    f"unknown key {key[:60]!r} in home_assistant; known keys: {', '.join(sorted(_KEYS))}"
                )
            )
    sentences, open_slots = "all", False
    if "sentences" in keys:
        with mistakes.spare():
            sentences = _choice(keys["sentences"])
    if "open_slots" in keys:
        with mistakes.spare():
            open_slots = _flag(keys["open_slots"])
    areas, floors, entities = list[Named](), list[Named](), list[Entity]()
    for entry in _list(keys, "areas", mistakes):
        with mistakes.spare():
            areas.append(Named(**_named(entry, "an area")))
    for entry in _list(keys, "floors", mistakes):
        with mistakes.spare():
            floors.append(Named(**_named(entry, "a floor")))
    for entry in _list(keys, "entities", mistakes):
        with mistakes.spare():
            entity = _entity(entry)
            _refuse_unknown_area(entity, areas, entry.source)
            entities.append(entity)
    for entry in _list(keys, "scenes", mistakes):
        with mistakes.spare():
            entities.append(Entity(domain="scene", **_named(entry, "a scene")))
    return Home(
        areas=areas,
        floors=floors,
        entities=entities,
        sentences=sentences,
        open_slots=open_slots,
        language=str(keys["language"].text("language")) if "language" in keys else "en",
        source=value.source,
    )


def _refuse_unknown_area(entity: Entity, areas: Iterable[Named], source: str) -> None:
    if entity.area and all(entity.area != area.name for area in areas):
        raise GrammarError(
            f"{entity.name!r} is in the area {entity.area!r}, which is not among the areas",
            source=source,
            line=entity.line,
        )


def _choice(entry: Value) -> str:
    sentences = str(entry.text("sentences"))
    if sentences not in _SENTENCES:
        raise entry.error(f"expected {' or '.join(_SENTENCES)} for sentences, got {sentences!r}")
    return sentences


def _flag(entry: Value) -> bool:
    if not isinstance(entry.value, bool):
        raise entry.error(f"expected true or false for open_slots, got {entry.value!r}")
    return entry.value


def _list(keys: Mapping[str, Value], name: str, mistakes: Mistakes) -> list[Value]:
    if name in keys:
        with mistakes.spare():
            return keys[name].items(name)
    return []


def _entity(entry: Value) -> Entity:
    keys = entry.mapping("an entity")
    if "domain" not in keys:
        raise entry.error("expected a key 'domain' (light, switch, cover ...) in an entity, found none")
    area = str(keys["area"].text("area")) if "area" in keys else ""
    return Entity(domain=str(keys["domain"].text("domain")), area=area, **_named(entry, "an entity"))


def _named(entry: Value, what: str) -> dict[str, Any]:
    """Name, aliases and line of an entry, which may be just the name."""
    line = max(entry.line, 1)
    if not isinstance(entry.value, dict):
        return {"name": _spoken(entry, f"the name of {what}"), "line": line}
    keys = entry.mapping(what)
    known = {"name", "aliases", *(("domain", "area") if what == "an entity" else ())}
    for key, value in keys.items():
        if key not in known:
            raise value.error(f"unknown key {key!r} in {what}; known keys: {', '.join(sorted(known))}")
    if "name" not in keys:
        raise entry.error(f"expected a key 'name' in {what}, found none")
    aliases = keys["aliases"].items("aliases") if "aliases" in keys else []
    return {
        "name": _spoken(keys["name"], f"the name of {what}"),
        "aliases": tuple(_spoken(alias, "an alias") for alias in aliases),
        "line": line,
    }


def _spoken(entry: Value, what: str) -> str:
    """A name; one without words would be said by silence."""
    name = str(entry.text(what))
    if is_silent(name):
        raise entry.error(f"expected words for {what}, got {name!r}")
    return name
