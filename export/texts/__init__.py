"""Texts to be spoken where recordings lack them: numbers, letters, dates, names, commands.

A kind is a function ``(count, seed) -> sentences``, one line here. Sentences are lower-case words as in a
manifest: nothing is left that would have to be guessed, no digits and no punctuation but apostrophes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from edge_asr.errors import UsageError

KINDS = {
    "numbers": "export.texts.numbers:numbers",
    "letters": "export.texts.letters:letters",
    "codes": "export.texts.codes:codes",
    "dates": "export.texts.calendar_dates:dates",
    "times": "export.texts.clock_times:times",
    "names": "export.texts.packaged:names",
    "car": "export.texts.packaged:car",
    "home": "export.texts.packaged:home",
}
"""Name -> function, imported on use."""


def draw_texts(kind: str, count: int, seed: int) -> list[str]:
    """``count`` texts of a kind, the same for the same seed; some may be the same as others.

    Raises
    ------
    UsageError: no such kind.
    """
    if kind not in KINDS:
        raise UsageError(f"no kind of text {kind!r}: choose of {', '.join(KINDS)}")
    module, _, name = KINDS[kind].partition(":")
    draw: Callable[[int, int], list[str]] = getattr(importlib.import_module(module), name)
    return draw(count, seed)
