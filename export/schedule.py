"""Where a training run stands between its first step and its last: learning rate, epoch, end."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from export.recipe import TrainingConfig


class Schedule:
    """By steps, or by the clock: then the same schedule is stretched over the given minutes.

    Parameters
    ----------
    steps: of the whole run, where it goes by steps.
    minutes: that the run may take, where it goes by the clock.
    """

    def __init__(self, config: TrainingConfig, *, steps: int, minutes: float | None = None) -> None:
        self._config, self._steps, self._minutes = config, max(1, steps), minutes
        self._before_s = 0.0
        self._started = time.monotonic()

    @property
    def by_clock(self) -> bool:
        """Whether time ends the run."""
        return self._minutes is not None

    @property
    def elapsed_s(self) -> float:
        """Time that the run has taken so far, in all its pieces."""
        return self._before_s + time.monotonic() - self._started

    def resume(self, elapsed_s: float) -> None:
        """So much time was used up before."""
        self._before_s, self._started = elapsed_s, time.monotonic()

    def share(self, step: int) -> float:
        """How much of the run lies behind: from 0 to 1."""
        if self._minutes is not None:
            return min(1.0, self.elapsed_s / (60 * self._minutes))
        warmup = self._config.warmup_steps
        return min(1.0, max(0, step - warmup) / max(1, self._steps - warmup))

    def rate(self, step: int) -> float:
        """Learning rate: linear warm-up, then a cosine to zero."""
        peak = self._config.peak_rate
        if step < self._config.warmup_steps:
            return peak * (step + 1) / self._config.warmup_steps
        return peak * 0.5 * (1 + math.cos(math.pi * self.share(step)))

    def epoch(self, passes: int, step: int) -> int:
        """Epoch of the recipe, from 1, after so many whole passes over the corpus."""
        if self._minutes is None:
            return passes + 1
        return min(self._config.epochs, 1 + int(self.share(step) * self._config.epochs))

    def over(self, passes: int, step: int) -> bool:
        """Whether the run has come to its end."""
        return self.share(step) >= 1 if self.by_clock else passes >= self._config.epochs
