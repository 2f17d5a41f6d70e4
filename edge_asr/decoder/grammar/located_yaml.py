"""What YAML holds: texts, lists and mappings that know their line. ``yaml_parser.py`` reads them."""

from __future__ import annotations

from typing import Any, NamedTuple

from edge_asr.errors import GrammarError


class Text(str):
    """A string that knows where it stands."""

    __slots__ = ("line", "source")
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
    """dict[str, Value] whose keys are Texts, list[Value], Text, int, float, bool, None, or what YAML makes of
    a date."""
    source: str
    line: int

    @property
    def kind(self) -> str:
        """What this is, for messages."""
        return _kind(self.value)

    def error(self, message: str) -> GrammarError:
        """An error about this value."""
        return GrammarError(message, source=self.source, line=self.line)

    def mapping(self, what: str) -> dict[str, Value]:
        """This value as a mapping; an absent one (``key:`` alone) is empty."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.error(f"expected a mapping for {what}, got {self.kind}")
        return self.value

    def items(self, what: str) -> list[Value]:
        """This value as a list."""
        if not isinstance(self.value, list):
            raise self.error(f"expected a list for {what}, got {self.kind}")
        return self.value

    def text(self, what: str) -> Text:
        """This value as text. Whole numbers pass; YAML's bare on, off, yes and no are refused."""
        if isinstance(self.value, Text):
            return self.value
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return Text(str(self.value), self.source, self.line)
        raise self.error(f"expected text for {what}, got {self.kind}: put it in quotes")

    def plain(self) -> Any:
        """This value as ordinary Python objects."""
        if isinstance(self.value, dict):
            return {str(key): value.plain() for key, value in self.value.items()}
        if isinstance(self.value, list):
            return [value.plain() for value in self.value]
        return str(self.value) if isinstance(self.value, Text) else self.value


def as_value(data: Any, source: str) -> Value:
    """Ordinary Python objects, as JSON has them, with 0 for every line."""
    if isinstance(data, dict):
        items = {Text(str(key), source, 0): as_value(item, source) for key, item in data.items()}
        return Value(items, source, 0)
    if isinstance(data, list):
        return Value([as_value(item, source) for item in data], source, 0)
    return Value(Text(data, source, 0) if isinstance(data, str) else data, source, 0)


def _kind(value: Any) -> str:
    """A value in words, for messages."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
