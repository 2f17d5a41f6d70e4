"""The marks that a grammar left on the best path become an intent with its slots."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_asr.decoder.network import IntentMark, Path, SlotClose, SlotFixed, SlotOpen
from edge_asr.understand.values import Value, convert

SlotValue = Value | list[Value]


@dataclass(frozen=True)
class Interpretation:
    """What an utterance asks for."""

    intent: str
    slots: dict[str, SlotValue] = field(default_factory=dict)
    """A list where the sentence fills the slot more than once, in the order of speech."""


def interpret(path: Path) -> Interpretation | None:
    """Intent and slots of a path; None where the path bears no intent.

    Parameters
    ----------
    path: each word with the marks that precede it; a last element ``(None, marks)`` holds the marks
        behind the last word.

    Of several intents the last one counts. A slot without a value of its own takes the words said
    between its marks (those of slots within it included), or what its converter makes of them; a slot
    within which nothing was said is left out. What is said goes before what the sentence sets without
    saying it. A slot still open at the end (the path of an unfinished sentence) is left out.

    Raises
    ------
    ValueError: a SlotClose without its SlotOpen, or a converter that cannot read the words: the path
        comes from no network.
    """
    intent: str | None = None
    spoken: dict[str, list[Value]] = {}
    fixed: dict[str, list[Value]] = {}
    words: list[str] = []
    opened: list[tuple[str, int]] = []
    for word, marks in path:
        for mark in marks:
            if isinstance(mark, IntentMark):
                intent = mark.name
            elif isinstance(mark, SlotFixed):
                fixed.setdefault(mark.name, []).append(mark.value)
            elif isinstance(mark, SlotOpen):
                opened.append((mark.name, len(words)))
            else:
                value = _value(words[_close(opened, mark) :], mark)
                if value != "":
                    spoken.setdefault(mark.name, []).append(value)
        if word is not None:
            words.append(word)
    if intent is None:
        return None
    values = {**fixed, **spoken}
    return Interpretation(intent, {name: v[0] if len(v) == 1 else v for name, v in values.items()})


def _value(words: list[str], mark: SlotClose) -> Value:
    """What fills the slot; nothing is an empty text."""
    if mark.value is not None:
        return mark.value
    return convert(mark.convert, words) if mark.convert and words else " ".join(words)


def _close(opened: list[tuple[str, int]], mark: SlotClose) -> int:
    """Take the innermost open slot of that name away; return how many words came before it."""
    for i in range(len(opened) - 1, -1, -1):
        if opened[i][0] == mark.name:
            return opened.pop(i)[1]
    raise ValueError(f"slot {mark.name!r} closes without having been opened")
