"""Several graphs hear the same, and it does not matter how many processes share the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")
pytest.importorskip("pyroomacoustics", reason="rooms need pyroomacoustics (the extra train)")

from benchmarks import listening
from benchmarks.accuracy import KITCHEN_TABLE, TASKS
from benchmarks.conditions import CLEAN, Condition
from benchmarks.listening import Answer, Ear, Place, interleave, listen, share
from export.corpus import Utterance


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("items", [0, 1, 5, 6])
def test_what_is_shared_comes_back_in_order(items: int, count: int) -> None:
    shares = [share(range(items), i, count) for i in range(count)]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert interleave(shares) == list(range(items))


class _Scene:
    """Samples that say in what condition they are heard."""

    def __init__(self, data: Path, cache: Path) -> None:
        pass

    def hear(self, utterance: Utterance, condition: Condition) -> np.ndarray:
        return np.full(3, {CLEAN: 0.25, KITCHEN_TABLE: 0.5}[condition], dtype=np.float32)


class _System:
    """Hears ``quiet`` or ``noise`` and the name of the grammar; the bundle ``deaf`` hears nothing."""

    def __init__(self, model: str, engine: str) -> None:
        assert engine == "numpy"
        self._deaf, self._ready = model == "deaf", [Path("none")]

    def prepare(self, grammar: Path | None) -> None:
        self._ready.append(grammar or Path("free"))

    def hear(self, samples: np.ndarray, grammar: Path | None) -> str:
        assert self._ready[-1] == (grammar or Path("free")), "nothing is compiled while others hear"
        words = ["quiet" if samples[0] == 0.25 else "noise", grammar.stem if grammar else "free"]
        return "" if self._deaf else " ".join(words)


def test_each_task_is_heard_in_its_condition_with_its_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "Scene", _Scene)
    monkeypatch.setattr(listening, "EdgeAsr", _System)
    said = {"librispeech": "quiet free", "grid": "quiet grid", "commands": "noise home-car"}
    assert set(said) < set(TASKS)
    sets = {
        task: [
            Utterance(audio=Path("a"), text=text, speaker="s", split="dev", seconds=1.0, corpus=task)
            for text in (words, words + " more")
        ]
        for task, words in said.items()
    }
    ears = {name: Ear(bundle=Path(name), engine="numpy") for name in ("keen", "deaf")}
    answers = listen(ears, sets, Place(data=Path("data"), cache=Path("cache")))
    for task in said:
        assert answers[task] == {
            "keen": [Answer(words=2, errors=0), Answer(words=3, errors=1)],
            "deaf": [Answer(words=2, errors=2), Answer(words=3, errors=3)],
        }
