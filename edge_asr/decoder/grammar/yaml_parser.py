"""YAML text to located values, in bounded time and memory.

libyaml's events are composed here and not by PyYAML, whose composers follow any nesting down the stack
and whose merge keys may multiply without end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from edge_asr.decoder.grammar.located_yaml import Text, Value
from edge_asr.decoder.grammar.rejects import Mistakes
from edge_asr.errors import GrammarError, GrammarSizeError

_DEEPEST = 50
"""Lists and mappings within one another."""
_MOST_VALUES = 1_000_000
"""Values of one file, every alias counted with all that it stands for: 100,000 list entries take half."""

_TAG = "tag:yaml.org,2002:"
_TEXTS = (f"{_TAG}str", f"{_TAG}merge", f"{_TAG}value")
"""Tags of what is read as text; << and = have tags of their own."""
_NUMBER = 10**15
"""Whole numbers up to here remain numbers; a text is what a larger one was meant to be."""
# libyaml is twenty times as fast; wheels have it, some distributions build without.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Sized: TypeAlias = tuple[Value, int]
"""A value, and how many it holds, itself included."""


def parse_yaml(text: str, source: str, mistakes: Mistakes | None = None) -> Value:
    """Parse one document.

    Parameters
    ----------
    mistakes: takes note of repeated keys, of which the first counts; without it they are raised.

    Raises
    ------
    GrammarError: YAML syntax, or a key that is no text; with its line. Or too deep, or too large.
    """
    try:
        return _Composer(_Loader(text), source, mistakes or Mistakes()).document()
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes, PyYAML characters.
        read = text[: error.position].encode() if _Loader is yaml.SafeLoader else text.encode()
        line = read.count(b"\n", 0, error.position) + 1
        raise GrammarError(
            f"YAML: expected text, got the control character 0x{error.character:02x}",
            source=source,
            line=line,
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be read"
        raise GrammarError(f"YAML: {problem}", source=source, line=mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise GrammarError(f"YAML: {error}", source=source) from error


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    value: Value
    anchor: str | None
    size: int = 1
    key: Value | None = None
    """Of a mapping: the key whose value comes next."""
    merge: bool = False
    """Is that key ``<<``?"""
    merged: dict[str, Value] = field(default_factory=dict)
    """Of a mapping: what ``<<`` brought; its own keys go before."""


class _Composer:
    def __init__(self, loader: Any, source: str, mistakes: Mistakes) -> None:
        self._loader = loader
        self._source = source
        self._mistakes = mistakes
        self._open: list[_Open] = []
        self._anchors: dict[str, Sized | None] = {}
        """None: still open, so that an alias would hold itself."""

    def document(self) -> Value:
        root: Value | None = None
        while True:
            event = self._loader.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                break
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                raise self._error("expected a single document, got a second one", event)
            done = self._value(event)
            if done is not None:
                root = done
        if root is None:
            raise GrammarError("the file is empty", source=self._source)
        return root

    def _value(self, event: yaml.Event) -> Value | None:
        """Take one event; return the value of the whole document when it is complete."""
        if isinstance(event, yaml.ScalarEvent):
            return self._place(self._scalar(event), event.anchor, event)
        if isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) == _DEEPEST:
                raise GrammarSizeError(
                    f"YAML: nested deeper than {_DEEPEST}", source=self._source, line=_line(event)
                )
            empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            if event.anchor:
                self._anchors[event.anchor] = None
            self._open.append(_Open(Value(empty, self._source, _line(event)), event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self._open.pop()
            for key, value in closed.merged.items():
                closed.value.value.setdefault(key, value)
            return self._place((closed.value, closed.size), closed.anchor, event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(f"there is no anchor &{event.anchor}", event)
            known = self._anchors[event.anchor]
            if known is None:
                raise self._error(f"*{event.anchor} stands within itself", event)
            return self._place(known, None, event)
        return None

    def _place(self, sized: Sized, anchor: str | None, event: yaml.Event) -> Value | None:
        """Put a complete value where it belongs; return it if that is nowhere: it is the document."""
        value, size = sized
        if anchor:
            self._anchors[anchor] = sized
        if not self._open:
            return value
        around = self._open[-1]
        around.size += size
        if around.size > _MOST_VALUES:
            raise GrammarSizeError(
                f"YAML: {around.size:,} values or more with all aliases, the limit is {_MOST_VALUES:,}",
                source=self._source,
                line=_line(event),
            )
        if isinstance(around.value.value, list):
            around.value.value.append(value)
        elif around.key is None:
            around.key = value
            around.merge = isinstance(event, yaml.ScalarEvent) and self._tag(event) == f"{_TAG}merge"
        else:
            key, around.key = around.key, None
            if around.merge:
                self._merge(value, around.merged)
            else:
                self._set(around.value.value, key, value)
        return None

    def _set(self, mapping: dict[str, Value], key: Value, value: Value) -> None:
        """YAML itself would let the last of equal keys win, and the sentences of the first would be lost."""
        text = key.text("a key")
        if text in mapping:
            line = next(known.line for known in mapping if known == text and isinstance(known, Text))
            self._mistakes.note(key.error(f"the key {text[:60]!r} stands in line {line} already"))
            return
        mapping[text] = value

    def _merge(self, value: Value, merged: dict[str, Value]) -> None:
        """``<<: *mapping`` or ``<<: [*mapping, *mapping]``; of equal keys the first counts."""
        for part in value.value if isinstance(value.value, list) else [value]:
            for key, inner in part.mapping("<<").items():
                merged.setdefault(key, inner)

    def _scalar(self, event: yaml.ScalarEvent) -> Sized:
        tag, line = self._tag(event), _line(event)
        value: Any = event.value
        if tag not in _TEXTS:
            mark: Any = event.start_mark
            node = yaml.ScalarNode(tag, event.value, mark, mark)
            try:
                value = self._loader.construct_object(node)
            except (ValueError, OverflowError):
                value = event.value  # such as the date 2024-13-45
            if isinstance(value, int) and abs(value) > _NUMBER:
                value = event.value
        return Value(
            Text(value, self._source, line) if isinstance(value, str) else value, self._source, line
        ), 1

    def _tag(self, event: yaml.ScalarEvent) -> str:
        if event.tag is None or event.tag == "!":
            return str(self._loader.resolve(yaml.ScalarNode, event.value, event.implicit))
        return str(event.tag)

    def _error(self, message: str, event: yaml.Event) -> GrammarError:
        return GrammarError(f"YAML: {message}", source=self._source, line=_line(event))


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return int(mark.line) + 1 if mark else 0
