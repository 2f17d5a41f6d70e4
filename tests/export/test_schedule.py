"""Where a run stands, by steps and by the clock."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="recipes need torch")

from export import schedule as schedule_module
from export.recipe import TrainingConfig
from export.schedule import Schedule

CONFIG = TrainingConfig(epochs=10, peak_rate=0.5, warmup_steps=4)


class Clock:
    """Time that only passes when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(schedule_module, "time", clock)
    return clock


def test_by_steps() -> None:
    """Linear warm-up, then a cosine: half of the peak in the middle, nothing at the end."""
    schedule = Schedule(CONFIG, steps=104)
    assert [schedule.rate(step) for step in range(4)] == pytest.approx([0.125, 0.25, 0.375, 0.5])
    assert [schedule.rate(step) for step in (4, 54, 104, 200)] == pytest.approx([0.5, 0.25, 0, 0])
    assert (schedule.epoch(0, 0), schedule.epoch(9, 90)) == (1, 10)
    assert not schedule.over(9, 1000) and schedule.over(10, 0)
    assert not schedule.by_clock


def test_by_the_clock(clock: Clock) -> None:
    """However many steps fit into it, the recipe's ten epochs are stretched over two minutes."""
    schedule = Schedule(CONFIG, steps=5, minutes=2)
    assert schedule.by_clock and schedule.epoch(7, 900) == 1
    clock.now += 60
    assert schedule.rate(900) == pytest.approx(0.25)
    assert schedule.epoch(0, 900) == 6 and not schedule.over(99, 900)
    clock.now += 60
    assert schedule.epoch(0, 900) == 10 and schedule.over(0, 900)
    assert schedule.rate(900) == pytest.approx(0)


def test_a_stopped_run_goes_on_with_the_time_that_is_left(clock: Clock) -> None:
    schedule = Schedule(CONFIG, steps=5, minutes=2)
    schedule.resume(90.0)
    clock.now += 15
    assert schedule.elapsed_s == 105
    assert not schedule.over(0, 0)
    clock.now += 15
    assert schedule.over(0, 0)
