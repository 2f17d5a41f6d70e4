"""YAML whose texts, lists and mappings know their line."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from edge_asr.errors import GrammarError


class Text(str):
    """A string that knows where it stands."""

    source: str
    line: int

    def __new__(cls, text: str, source: str, line: int) -> Text:
        made = super().__new__(cls, text)
        made.source = source
        made.line = line
        return made


class Value(NamedTuple):
    """A parsed value with the line where it begins. Inside, mappings and lists hold Values again."""

    value: Any
    """dict[str, Value], list[Value], Text, int, float, bool, None, or what YAML makes of a date."""
    source: str
    line: int

    def error(self, message: str) -> GrammarError:
        """An error about this value."""
        return GrammarError(message, source=self.source, line=self.line)

    def mapping(self, what: str) -> dict[str, Value]:
        """This value as a mapping; an absent one (``key:`` alone) is empty."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.error(f"expected a mapping for {what}, got {_kind(self.value)}")
        return self.value

    def items(self, what: str) -> list[Value]:
        """This value as a list."""
        if not isinstance(self.value, list):
            raise self.error(f"expected a list for {what}, got {_kind(self.value)}")
        return self.value

    def text(self, what: str) -> Text:
        """This value as text. Whole numbers pass; YAML's bare on, off, yes and no are refused."""
        if isinstance(self.value, Text):
            return self.value
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return Text(str(self.value), self.source, self.line)
        raise self.error(f"expected text for {what}, got {_kind(self.value)}: put it in quotes")

    def plain(self) -> Any:
        """This value as ordinary Python objects."""
        if isinstance(self.value, dict):
            return {str(key): value.plain() for key, value in self.value.items()}
        if isinstance(self.value, list):
            return [value.plain() for value in self.value]
        return str(self.value) if isinstance(self.value, Text) else self.value


def parse_yaml(text: str, source: str) -> Value:
    """Parse one document.

    Raises
    ------
    GrammarError: YAML syntax, a repeated key, or a key that is no text; with its line.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise GrammarError("the file is empty", source=source)
        return _Converter(loader, source).convert(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be read"
        raise GrammarError(f"YAML: {problem}", source=source, line=mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError) as error:
        raise GrammarError(f"YAML: {error}", source=source) from error
    except RecursionError as error:
        raise GrammarError("YAML: nested too deep, or within itself", source=source) from error


def as_value(data: Any, source: str) -> Value:
    """Ordinary Python objects, as JSON has them, with 0 for every line."""
    if isinstance(data, dict):
        return Value({str(key): as_value(item, source) for key, item in data.items()}, source, 0)
    if isinstance(data, list):
        return Value([as_value(item, source) for item in data], source, 0)
    return Value(Text(data, source, 0) if isinstance(data, str) else data, source, 0)


class _Converter:
    """From nodes to Values. Each node once, so that repeated aliases cannot multiply."""

    def __init__(self, loader: yaml.SafeLoader, source: str) -> None:
        self._loader = loader
        self._source = source
        self._made: dict[int, Value] = {}

    def convert(self, node: yaml.Node) -> Value:
        key = id(node)
        if key not in self._made:
            self._made[key] = Value(self._value(node), self._source, node.start_mark.line + 1)
        return self._made[key]

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.convert(item) for item in node.value]
        value = self._loader.construct_object(node)
        return Text(value, self._source, node.start_mark.line + 1) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Value]:
        self._refuse_repeated_keys(node)
        self._loader.flatten_mapping(node)
        return {str(self.convert(key).text("a key")): self.convert(value) for key, value in node.value}

    def _refuse_repeated_keys(self, node: yaml.MappingNode) -> None:
        """YAML itself would let the last one win, and the first one's sentences would be lost."""
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise GrammarError(
                    f"the key {key.value!r} stands in line {seen[key.value]} already",
                    source=self._source,
                    line=line,
                )
            if isinstance(key, yaml.ScalarNode):
                seen[key.value] = line


def _kind(value: Any) -> str:
    """A value in words, for messages."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else repr(value)
