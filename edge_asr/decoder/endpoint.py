"""When has someone said what they wanted to say? Rules on what the search has heard, as data.

Silence means least where a sentence cannot end and most where nothing can follow it: "set a timer for" is
waited for, "stop the timer" need not be. Each rule says how much silence ends an utterance in its state; the
search tells the state after each chunk (``Progress``). Silence is counted from the last phone of the best
path, on the search's own clock, which is late by the model's look-ahead.

The idea of rules over trailing silence is Kaldi's (online2/online-endpoint.h); what a grammar can still say
takes the place of its guess from final costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

State: TypeAlias = Literal["nothing", "incomplete", "complete", "certain"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a search has heard of an utterance so far."""

    state: State
    """``nothing``: no word is likelier than silence. ``incomplete``: the best path cannot end here.
    ``complete``: it can, and might go on. ``certain``: nothing can follow it, or nothing that changes its
    intent, and the same is true of all that is nearly as likely."""
    silence_s: float
    """Since the last phone of the best path, or since the beginning where nothing was said."""
    duration_s: float
    """Since the beginning of the utterance."""


@dataclass(frozen=True, kw_only=True)
class EndpointConfig:
    """How long silence must last to end an utterance, in seconds."""

    nothing_s: float = 5.0
    """Nothing was said."""
    incomplete_s: float = 1.5
    """What was said cannot be all."""
    complete_s: float = 0.6
    """What was said can be all."""
    certain_s: float = 0.1
    """What was said must be all."""
    longest_s: float = 15.0
    """An utterance ends at this length even where someone speaks: a television, a crowd."""

    def __post_init__(self) -> None:
        if not 0 < self.certain_s <= self.complete_s <= self.incomplete_s <= self.longest_s:
            raise ValueError(
                "expected 0 < certain_s <= complete_s <= incomplete_s <= longest_s, got "
                f"{self.certain_s:g}, {self.complete_s:g}, {self.incomplete_s:g}, {self.longest_s:g}"
            )
        if not 0 < self.nothing_s <= self.longest_s:
            raise ValueError(f"nothing_s must lie in 0..longest_s, got {self.nothing_s:g}")


PRESETS: Final = {
    "fast": EndpointConfig(nothing_s=3.0, incomplete_s=0.9, complete_s=0.3, certain_s=0.06, longest_s=10.0),
    "balanced": EndpointConfig(),
    "patient": EndpointConfig(nothing_s=8.0, incomplete_s=2.5, complete_s=1.2, certain_s=0.3, longest_s=30.0),
}
"""Name -> rules. What they cost and save: ``python -m benchmarks.endpointing``."""


def ended(progress: Progress, config: EndpointConfig) -> str | None:
    """Why an utterance is over, as ``Final.reason`` says it; None while it goes on."""
    silence_s = {
        "nothing": config.nothing_s,
        "incomplete": config.incomplete_s,
        "complete": config.complete_s,
        "certain": config.certain_s,
    }[progress.state]
    # Times are sums of frames: allow for their rounding.
    if progress.silence_s >= silence_s - 1e-6:
        return "complete" if progress.state == "certain" else "silence"
    return "too_long" if progress.duration_s >= config.longest_s - 1e-6 else None
