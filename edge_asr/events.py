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
class Alternative:
    """One of the sentences that may have been said."""

    text: str
    score: float
    """Natural logarithm of its likelihood, weights of grammar or language model included: only differences
    within one utterance mean something."""
    confidence: float
    """Between 0 and 1."""
    intent: str | None = None
    slots: dict[str, Any] = field(default_factory=dict)


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
    """The best text so far. Its end may still change."""

    text: str
    stable: str = ""
    """The words at its beginning that stay: every later text of the utterance begins with them."""


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
    """Why the utterance ended: ``end_of_audio``, ``silence``, ``complete`` (nothing could follow) or
    ``too_long``."""
    nbest: tuple[Alternative, ...] = ()
    """The likeliest sentences, ``text`` first; at most as many as the stream was asked for."""

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
    """``silence`` (nothing was to be heard), ``noise`` (a sound that is hardly likelier speech than none),
    ``too_quiet``, ``clipped`` (too loud for the microphone's gain) or ``out_of_grammar`` (speech, but nothing
    that can be said here)."""
    nbest: tuple[Alternative, ...] = ()
    """What it might have been all the same, the likeliest first; empty where nothing was heard at all."""


@dataclass(frozen=True, kw_only=True)
class Gap(Event):
    """Audio was lost; the clock advanced over it."""

    duration_s: float
