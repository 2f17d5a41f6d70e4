"""Counts of what was said, what was heard and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import jiwer


class Tally:
    """References and hypotheses of one measurement, with the processor time that it took."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._heard: list[str] = []
        self._audio_s = self._cpu_s = 0.0

    @classmethod
    def together(cls, tallies: Iterable[Tally]) -> Tally:
        """All of several tallies as one."""
        whole = cls()
        for tally in tallies:
            whole._said += tally._said
            whole._heard += tally._heard
            whole._cpu_s += tally._cpu_s
            whole._audio_s += tally._audio_s
        return whole

    def add(self, said: str, audio_s: float, hear: Callable[[], str]) -> None:
        """Let ``hear`` answer, on the clock of this process's processors."""
        started = time.process_time()
        heard = hear()
        self._cpu_s += time.process_time() - started
        self._said.append(said)
        self._heard.append(heard)
        self._audio_s += audio_s

    def report(self) -> dict[str, float]:
        """WER, share of sentences fully right, processor seconds per second of audio, utterances."""
        right = sum(said == heard for said, heard in zip(self._said, self._heard, strict=True))
        return {
            "wer": round(jiwer.wer(self._said, self._heard), 4),
            "right": round(right / len(self._said), 4),
            "cpu_s_per_audio_s": round(self._cpu_s / self._audio_s, 4),
            "utterances": len(self._said),
        }
