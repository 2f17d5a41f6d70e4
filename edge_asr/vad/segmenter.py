"""From speech probabilities to where speech starts and ends: a pure decision on a list of numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SegmenterConfig:
    """When a segment opens and closes. Durations are rounded up to whole frames."""

    threshold: float = 0.5
    """A frame with at least this probability is speech."""
    min_speech_ms: int = 120
    """So much speech within trigger_window_ms opens a segment; a shorter burst (a click) never does."""
    trigger_window_ms: int = 200
    """The span in which min_speech_ms are counted: speech may have holes, such as the closure of a stop."""
    pre_roll_ms: int = 400
    """A segment begins so long before its first speech frame: soft onsets are missed by a detector."""
    end_silence_ms: int = 700
    """Silence that closes a segment, and stays in it. A click delays that by trigger_window_ms at most."""
    max_speech_s: float = 20.0
    """A segment is closed at this length; if speech goes on, the next one begins at that very frame."""

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold must lie between 0 and 1, got {self.threshold:g}")
        if not 0 < self.min_speech_ms <= self.trigger_window_ms:
            raise ValueError(
                f"min_speech_ms must be in 1..{self.trigger_window_ms} (trigger_window_ms), "
                f"got {self.min_speech_ms}"
            )
        if self.pre_roll_ms < 0 or self.end_silence_ms <= 0:
            raise ValueError("pre_roll_ms must be 0 or more, end_silence_ms more than 0")
        least_ms = self.pre_roll_ms + self.trigger_window_ms + self.end_silence_ms
        if self.max_speech_s * 1000 <= least_ms:
            raise ValueError(
                f"max_speech_s must exceed {least_ms / 1000:g} (pre-roll, trigger window and end silence), "
                f"got {self.max_speech_s:g}"
            )


@dataclass(frozen=True, slots=True)
class Start:
    """A segment begins with this frame, which may lie up to ``Segmenter.lookback_frames`` back."""

    frame: int


@dataclass(frozen=True, slots=True)
class End:
    """The open segment ends before this frame, the one after the last that was pushed."""

    frame: int
    reason: str
    """``silence`` or ``too_long``."""


class Segmenter:
    """Hears probabilities, answers Start and End in turn, in frames counted from the first one.

    Parameters
    ----------
    config: when to open and close.
    frame_ms: what one probability stands for.
    """

    def __init__(self, config: SegmenterConfig, *, frame_ms: int = 20) -> None:
        self._threshold = config.threshold
        self._min_speech = _frames(config.min_speech_ms, frame_ms)
        self._window_frames = _frames(config.trigger_window_ms, frame_ms)
        self._pre_roll = _frames(config.pre_roll_ms, frame_ms)
        self._end_silence = _frames(config.end_silence_ms, frame_ms)
        self._max_speech = _frames(config.max_speech_s * 1000, frame_ms)
        self.reset()

    @property
    def lookback_frames(self) -> int:
        """How many frames before the newest one a Start may name."""
        return self._window_frames + max(self._pre_roll, self._end_silence)

    def reset(self) -> None:
        """Forget everything; the next probability is frame 0."""
        self._now = 0
        self._window: deque[bool] = deque(maxlen=self._window_frames)
        self._open_since: int | None = None
        self._last_speech = 0
        self._last_end = 0
        self._goes_on = False  # the last segment was closed in the middle of speech

    def push(self, probabilities: Iterable[float]) -> list[Start | End]:
        """Take any number of probabilities; return what they decide."""
        decisions: list[Start | End] = []
        for probability in probabilities:
            self._window.append(probability >= self._threshold)
            # The window outlives a segment: speech that goes on after too_long needs no second trigger.
            if self._window[-1] and sum(self._window) >= self._min_speech:
                if self._open_since is None:
                    self._open_since = self._first_frame()
                    decisions.append(Start(self._open_since))
                self._last_speech = self._now
            self._now += 1
            if self._open_since is not None and (reason := self._ending(self._open_since)):
                decisions.append(End(self._now, reason))
                self._open_since, self._last_end = None, self._now
                self._goes_on = reason == "too_long"
        return decisions

    def close(self) -> None:
        """End the open segment before the next frame: what follows is judged anew."""
        if self._open_since is not None:
            self._open_since, self._last_end = None, self._now
            self._goes_on = False
            self._window.clear()

    def _first_frame(self) -> int:
        """Where the segment that opens now begins; never before the end of the last one."""
        first_speech = self._now + 1 - len(self._window) + self._window.index(True)
        if self._goes_on and first_speech - self._last_speech <= self._end_silence:
            return self._last_end
        return max(self._last_end, first_speech - self._pre_roll)

    def _ending(self, open_since: int) -> str | None:
        silent_frames = self._now - 1 - self._last_speech
        # Speech in the window may be the beginning of a word: let it prove itself first.
        if silent_frames >= self._end_silence and not any(self._window):
            return "silence"
        if self._now - open_since >= self._max_speech:
            return "too_long"
        return None


def _frames(duration_ms: float, frame_ms: int) -> int:
    return int(-(-duration_ms // frame_ms))
