"""What a tag of a JSGF grammar means (the list is in jsgf.py)."""

from __future__ import annotations

import re

from edge_asr.decoder.network import IntentMark, Mark, SlotClose, SlotFixed, SlotOpen

_TAG = re.compile(
    r"""(?P<name>[^\W\d][\w.-]*)\s*(?:(?P<kind>[=:])\s*(?P<value>"[^"]*"|'[^']*'|[^\s;][^;]*?)\s*)?;?""",
)
_WHOLE = re.compile(r"[+-]?\d{1,300}")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+)")


def parse_tag(tag: str) -> tuple[SlotOpen | None, Mark]:
    """The marks before and behind what is tagged.

    Raises
    ------
    ValueError: the tag is none that has a meaning here.
    """
    match = _TAG.fullmatch(tag)
    if match is None:
        shown = tag if len(tag) <= 60 else f"{tag[:60]}..."
        raise ValueError(
            "expected a tag such as {intent:Name}, {slot}, {slot:value} or {slot=value}, "
            f"got {{{shown}}}"
        )
    name, kind, value = match["name"], match["kind"], match["value"]
    if name == "intent":
        if value is None:
            raise ValueError("expected the intent's name: {intent:Name}")
        return None, IntentMark(str(_typed(value)))
    if kind == "=":
        return None, SlotFixed(name, _typed(value))
    return SlotOpen(name), SlotClose(name, _typed(value) if kind else None)


def _typed(value: str) -> str | int | float:
    """A number where the text is one."""
    if _WHOLE.fullmatch(value):
        return int(value)
    if _DECIMAL.fullmatch(value):
        return float(value)
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
