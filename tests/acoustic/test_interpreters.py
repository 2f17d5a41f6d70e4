import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from edge_asr.acoustic.interpreters import Interpreters


class Probe:
    """Knows how many are in it."""

    def __init__(self) -> None:
        self.users = 0


def test_one_thread_keeps_to_one_interpreter() -> None:
    made: list[Probe] = []
    interpreters = Interpreters(lambda: made.append(Probe()) or made[-1], limit=4)
    for _ in range(5):
        with interpreters.borrow() as probe:
            assert probe is made[0]
    assert len(made) == 1


def test_no_two_threads_share_one_and_there_are_never_more_than_the_limit() -> None:
    made: list[Probe] = []
    interpreters = Interpreters(lambda: made.append(Probe()) or made[-1], limit=3)
    shared = []
    all_busy = threading.Barrier(3, timeout=10)

    def use(turn: int) -> None:
        with interpreters.borrow() as probe:
            probe.users += 1
            shared.append(probe.users)
            if turn < 3:
                all_busy.wait()
            probe.users -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(3)))
        assert len(made) == 3
        list(pool.map(use, range(3, 200)))
    assert len(made) == 3 and set(shared) == {1}


def test_one_that_cannot_be_made_takes_no_place() -> None:
    answers = iter([OSError("no memory"), "interpreter"])

    def make() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    interpreters = Interpreters(make, limit=1)
    with pytest.raises(OSError, match="no memory"), interpreters.borrow():
        pass
    with interpreters.borrow() as interpreter:
        assert interpreter == "interpreter"


def test_a_borrower_that_fails_gives_it_back() -> None:
    interpreters = Interpreters(Probe, limit=1)
    with pytest.raises(ValueError, match="mine"), interpreters.borrow() as first:
        raise ValueError("mine")
    with interpreters.borrow() as again:
        assert again is first
