"""What a stream tells its user. Times are seconds on the stream's own clock, from its first sample."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Word:
    """One recognized word."""

    word: str
    start_s: float
    end_s: float
    confidence: float
    """Between 0 and 1."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events."""

    at_s: float
    """How much audio the stream had consumed when the event arose."""

    def to_dict(self) -> dict[str, Any]:
        """The event as plain values for JSON, with its class name under ``type``."""
        return {"type": type(self).__name__, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class SpeechStarted(Event):
    """Someone began to speak (only where the stream segments)."""


@dataclass(frozen=True, kw_only=True)
class Partial(Event):
    """The best text so far; it may still change."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Final(Event):
    """The text of one utterance; it will not change. ``text`` is never empty."""

    text: str
    """As it was said: ``half past six``."""
    written: str = ""
    """As it is written: ``06:30``; equal to ``text`` where that makes no difference or is not given."""
    confidence: float
    words: tuple[Word, ...] = ()
    reason: str = "end_of_audio"
    """Why the utterance ended: ``end_of_audio``, ``silence`` or ``too_long``."""

    def __post_init__(self) -> None:
        if not self.written:
            object.__setattr__(self, "written", self.text)


@dataclass(frozen=True, kw_only=True)
class Intent(Event):
    """What the utterance asks for; follows its Final."""

    name: str
    slots: dict[str, Any] = field(default_factory=dict)
    text: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Rejected(Event):
    """An utterance ended and nothing was understood."""

    reason: str
    """``silence`` (no speech found) or ``out_of_grammar``."""


@dataclass(frozen=True, kw_only=True)
class Gap(Event):
    """Audio was lost; the clock advanced over it."""

    duration_s: float
