"""Home Assistant's sentence files as data: which blocks, lists and rules there are, and in which line.

Only the frame is read here; the template texts themselves are parsed later (templates.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from edge_asr.decoder.grammar.builtin import ANYTHING, known_builtins
from edge_asr.decoder.grammar.located_yaml import Text, Value
from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.decoder.grammar.words import is_silent
from edge_asr.decoder.grammar.yaml_mending import parse_mended
from edge_asr.errors import GrammarError

Scalar = str | int | float

_FILE_KEYS = {"language", "intents", "lists", "expansion_rules", "skip_words", "settings", "responses"}
_BLOCK_KEYS = {
    "sentences",
    "slots",
    "requires_context",
    "excludes_context",
    "expansion_rules",
    "lists",
    "metadata",
    "response",
    "settings",
    "required_keywords",
    "inferred_domain",
    "name_domains",
    "weight",
}
_RANGE_KEYS = {
    "from",
    "to",
    "step",
    "type",
    "multiplier",
    "fractions",
    "digits",
    "words",
    "words_language",
}
_FRACTIONS = {"halves": (0.5,), "tenths": tuple(i / 10 for i in range(1, 10))}


@dataclass(frozen=True)
class TextValue:
    """One entry of a list."""

    spoken: Text
    is_template: bool
    """Otherwise ``spoken`` is plain text in which no character is special."""
    out: Scalar | None
    """Value of the slot; None: the spoken words."""
    context: dict[str, Any]


@dataclass(frozen=True)
class TextValues:
    """A list of texts."""

    values: list[TextValue]


@dataclass(frozen=True)
class NumberRange:
    """A list of numbers from ``start`` to ``stop``, both included."""

    start: int
    stop: int
    step: int
    fractions: tuple[float, ...]
    """Added to each whole number in turn."""
    multiplier: float | None

    def __len__(self) -> int:
        return ((self.stop - self.start) // self.step + 1) * (1 + len(self.fractions))

    def numbers(self) -> Iterable[tuple[str, int | float]]:
        """Each number as written in digits, and the slot's value for it."""
        for whole in range(self.start, self.stop + 1, self.step):
            for fraction in (0, *self.fractions):
                number = round(whole + fraction, 1) if fraction else whole
                value = number if self.multiplier is None else number * self.multiplier
                yield str(number), int(value) if value == int(value) else value


@dataclass(frozen=True)
class Builtin:
    """A list that is built in (``builtin/__init__.py``); "anything" is Home Assistant's wildcard."""

    name: str


@dataclass(frozen=True)
class RunTimeList:
    """A list whose values join when the program runs."""


SlotList = TextValues | NumberRange | Builtin | RunTimeList


@dataclass(frozen=True)
class Block:
    """Sentences of one intent that share slots and context."""

    sentences: list[Text]
    slots: dict[str, list[Scalar]] = field(default_factory=dict)
    requires_context: dict[str, Any] = field(default_factory=dict)
    excludes_context: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Text] = field(default_factory=dict)
    lists: dict[str, SlotList] = field(default_factory=dict)
    weight: float = 1.0
    """How often the sentences are said, compared with those of other blocks; above 0."""
    line: int = 0


@dataclass
class TemplateFile:
    """One file, or several merged."""

    language: str
    intents: dict[str, list[Block]]
    lists: dict[str, SlotList]
    rules: dict[str, Text]
    skip_words: list[Text]
    refused: dict[str, int] = field(default_factory=dict)
    """``{lists}`` and ``<rules>`` that could not be read, with their line."""
    first_lines: dict[str, int] = field(default_factory=dict)
    """Of several files merged, how many lines stand before each one's own."""
    lines: int = 0
    """Of all files together."""

    def merge(self, other: TemplateFile, source: str, mistakes: Mistakes) -> None:
        """Take over what another file of the same directory holds.

        Of a list or rule that both files define, which is a mistake, the first one stays.

        Raises
        ------
        GrammarError: another language.
        """
        if other.language != self.language:
            raise GrammarError(
                f"expected language {self.language} as in the files before, got {other.language}",
                source=source,
            )
        for kind, mine, theirs in (("list", self.lists, other.lists), ("rule", self.rules, other.rules)):
            if both := sorted(mine.keys() & theirs.keys()):
                mistakes.note(
                    GrammarError(f"another file defines the {kind} {both[0]!r} already", source=source)
                )
        for intent, blocks in other.intents.items():
            self.intents.setdefault(intent, []).extend(blocks)
        self.lists = {**other.lists, **self.lists}
        self.rules = {**other.rules, **self.rules}
        self.refused.update(other.refused)
        self.skip_words += other.skip_words
        self.first_lines[source] = self.lines
        self.lines += other.lines


def parse_template_file(text: str, source: str, mistakes: Mistakes | None = None) -> TemplateFile:
    """Read the frame of one sentence file.

    Parameters
    ----------
    mistakes: takes note of what is wrong with a single block, sentence, list, value, rule or skip word;
        without it that is raised.

    Raises
    ------
    GrammarError: YAML syntax, no language, or a key or value that is not of this format; with its line.
    """
    mistakes = mistakes or Mistakes()
    file = template_file(parse_mended(text, source, mistakes), mistakes)
    file.first_lines, file.lines = {source: 0}, text.count("\n") + 1
    return file


def template_file(top: Value, mistakes: Mistakes | None = None) -> TemplateFile:
    """The frame of a document that was parsed already; otherwise as ``parse_template_file``."""
    return _Reader(mistakes or Mistakes()).file(top)


class _Reader:
    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes
        self._refused: dict[str, int] = {}

    def file(self, top: Value) -> TemplateFile:
        keys = top.mapping("the file")
        for error in _unknown_keys(keys, _FILE_KEYS, "the file"):
            self._mistakes.note(error)
        if "language" not in keys:
            raise top.error("expected a key 'language' (such as language: en), found none")
        return TemplateFile(
            language=str(keys["language"].text("language")),
            intents=self._intents(keys),
            lists=self._lists(keys),
            rules=self._rules(keys),
            skip_words=self._skip_words(keys),
            refused=self._refused,
        )

    def _intents(self, keys: dict[str, Value]) -> dict[str, list[Block]]:
        intents: dict[str, list[Block]] = {}
        with self._mistakes.spare():
            for name, intent in _mapping(keys, "intents").items():
                with self._mistakes.spare():
                    for block in _require(intent, "data", f"intent {name}").items("data"):
                        with self._mistakes.spare():
                            intents.setdefault(str(name), []).append(self._block(block))
        return intents

    def _block(self, block: Value) -> Block:
        keys = _known(block, _BLOCK_KEYS, "a block of sentences")
        sentences: list[Text] = []
        for sentence in _require(block, "sentences", "a block of sentences").items("sentences"):
            with self._mistakes.spare():
                sentences.append(sentence.text("a sentence"))
        return Block(
            sentences=sentences,
            slots={str(name): _slot_values(value, name) for name, value in _mapping(keys, "slots").items()},
            requires_context=_context(keys, "requires_context"),
            excludes_context=_context(keys, "excludes_context"),
            rules=self._rules(keys),
            lists=self._lists(keys),
            weight=_weight(keys),
            line=block.line,
        )

    def _lists(self, keys: dict[str, Value]) -> dict[str, SlotList]:
        lists: dict[str, SlotList] = {}
        with self._mistakes.spare():
            for name, value in _mapping(keys, "lists").items():
                self._refused[f"{{{name}}}"] = value.line
                with self._mistakes.spare():
                    lists[str(name)] = self._slot_list(name, value)
                    del self._refused[f"{{{name}}}"]
        return lists

    def _rules(self, keys: dict[str, Value]) -> dict[str, Text]:
        rules: dict[str, Text] = {}
        with self._mistakes.spare():
            for name, rule in _mapping(keys, "expansion_rules").items():
                self._refused[f"<{name}>"] = rule.line
                with self._mistakes.spare():
                    rules[str(name)] = rule.text(f"rule {name}")
                    del self._refused[f"<{name}>"]
        return rules

    def _skip_words(self, keys: dict[str, Value]) -> list[Text]:
        words: list[Text] = []
        with self._mistakes.spare():
            for word in keys["skip_words"].items("skip_words") if "skip_words" in keys else ():
                with self._mistakes.spare():
                    words.append(word.text("a skip word"))
        return words

    def _slot_list(self, name: str, value: Value) -> SlotList:
        keys = value.mapping(f"list {name}")
        if "values" not in keys:
            return _unspoken_list(name, value)
        values: list[TextValue] = []
        for entry in keys["values"].items(f"values of {name}"):
            with self._mistakes.spare():
                found = _text_value(entry)
                if is_silent(found.spoken):
                    raise entry.error(f"expected words for a value of {name:.60}, got {str(found.spoken)!r}")
                values.append(found)
        return TextValues(values)


def _weight(keys: dict[str, Value]) -> float:
    if "weight" not in keys:
        return 1.0
    weight = keys["weight"].value
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise keys["weight"].error(f"expected a number above 0 for weight, got {keys['weight'].kind}")
    return float(weight)


def _unspoken_list(name: str, value: Value) -> SlotList:
    keys = value.mapping(f"list {name}")
    if "range" in keys:
        return _number_range(keys["range"])
    if "wildcard" in keys and keys["wildcard"].value is True:
        return Builtin(ANYTHING)
    if "runtime" in keys and keys["runtime"].value is True:
        return RunTimeList()
    if "builtin" in keys:
        builtin = str(keys["builtin"].text("builtin"))
        if builtin not in known_builtins():
            raise keys["builtin"].error(
                f"there is no built-in {builtin[:60]!r}; known: {', '.join(known_builtins())}"
            )
        return Builtin(builtin)
    raise value.error(
        f"expected values, range or builtin, 'wildcard: true' or 'runtime: true' in list {name:.60}, "
        "found none of them"
    )


def _text_value(entry: Value) -> TextValue:
    if not isinstance(entry.value, dict):
        spoken = entry.text("a list value")
        # As Home Assistant has it: a template is no value, so what was said becomes the value.
        is_template = _is_template(spoken)
        own = entry.value if isinstance(entry.value, int | float) else str(spoken)
        return TextValue(spoken, is_template, None if is_template else own, {})
    keys = _known(entry, {"in", "out", "context", "metadata"}, "a list value")
    spoken = _require(entry, "in", "a list value").text("in")
    out = keys["out"].value if "out" in keys else None
    if out is not None and not isinstance(out, Scalar):
        raise keys["out"].error("expected a text or number for out")
    out = str(out) if isinstance(out, str) else out
    return TextValue(spoken, _is_template(spoken), out, _context(keys, "context"))


def _is_template(text: str) -> bool:
    return any(character in text for character in "()[]{}<>|@")


def _number_range(value: Value) -> NumberRange:
    keys = _known(value, _RANGE_KEYS, "a range")
    bounds = {
        name: _whole(keys[name], name) if name in keys else default
        for name, default in (("from", None), ("to", None), ("step", 1))
    }
    start, stop, step = bounds["from"], bounds["to"], bounds["step"]
    if start is None or stop is None or step is None:
        raise value.error("expected both from and to in a range")
    if start > stop or step < 1:
        raise value.error(f"expected from <= to and step >= 1, got from {start} to {stop} step {step}")
    fractions: tuple[float, ...] = ()
    if "fractions" in keys:
        kind = str(keys["fractions"].text("fractions"))
        if kind not in _FRACTIONS:
            raise keys["fractions"].error(f"expected halves or tenths for fractions, got {kind!r}")
        fractions = _FRACTIONS[kind]
    multiplier = keys["multiplier"].value if "multiplier" in keys else None
    if multiplier is not None and (
        isinstance(multiplier, bool) or not isinstance(multiplier, int | float) or not abs(multiplier) < 1e9
    ):
        raise keys["multiplier"].error(f"expected a number for multiplier, got {keys['multiplier'].kind}")
    return NumberRange(start, stop, step, fractions, multiplier)


def _whole(value: Value, name: str) -> int:
    if isinstance(value.value, bool) or not isinstance(value.value, int):
        raise value.error(f"expected a whole number for {name}, got {value.kind}")
    return value.value


def _slot_values(value: Value, name: str) -> list[Scalar]:
    """The value of a fixed slot; several where the file gives a list."""
    entries = value.value if isinstance(value.value, list) else [value]
    for entry in entries:
        if not isinstance(entry.value, Scalar):
            raise entry.error(f"expected a text or number for slot {name}")
    return [str(entry.value) if isinstance(entry.value, str) else entry.value for entry in entries]


def _context(keys: dict[str, Value], name: str) -> dict[str, Any]:
    return {str(key): value.plain() for key, value in _mapping(keys, name).items()}


def _mapping(keys: dict[str, Value], name: str) -> dict[str, Value]:
    return keys[name].mapping(name) if name in keys else {}


def _require(value: Value, key: str, what: str) -> Value:
    keys = value.mapping(what)
    if key not in keys:
        raise value.error(f"expected a key {key!r} in {what}, found none")
    return keys[key]


def _known(value: Value, known: set[str], what: str) -> dict[str, Value]:
    keys = value.mapping(what)
    for error in _unknown_keys(keys, known, what):
        raise error
    return keys


def _unknown_keys(keys: dict[str, Value], known: set[str], what: str) -> Iterator[GrammarError]:
    for key in keys:
        if key not in known:
            assert isinstance(key, Text)
            message = f"unknown key {key[:60]!r} in {what}; known keys: {', '.join(sorted(known))}"
            yield GrammarError(message, source=key.source, line=key.line)
