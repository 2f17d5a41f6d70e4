"""What the confidence benchmark counts as right, and how it splits speakers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="benchmarks need jiwer")
pytest.importorskip("scipy", reason="benchmarks need scipy")

from benchmarks.confidence import Heard, crossed, fold_of, operating_point, thresholds, words_right
from export.corpus import Utterance


@pytest.mark.parametrize(
    ("said", "heard", "right"),
    [
        ("turn on the light", "turn on the light", [True] * 4),
        ("turn on the light", "turn of the light", [True, False, True, True]),
        ("turn on", "turn it on", [True, False, True]),
        ("turn it on", "turn on", [True, True]),
        ("turn on", "", []),
    ],
)
def test_right_words(said: str, heard: str, right: list[bool]) -> None:
    assert words_right(said, heard) == right


def spoken(speaker: str, file: str) -> Utterance:
    return Utterance(
        corpus="x", audio=Path(file), text="a", speaker=speaker, split="dev", seconds=1.0, extra={}
    )


def test_a_speaker_stays_on_one_side() -> None:
    assert len({fold_of(spoken("ann", f"{i}.wav")) for i in range(20)}) == 1
    assert {fold_of(spoken(f"speaker {i}", "a.wav")) for i in range(20)} == {0, 1}


def test_crossing_uses_the_other_half() -> None:
    """Outcomes that contradict each other between the halves are all predicted wrongly."""
    features = np.column_stack([np.ones(400), np.tile([0.0, 1.0], 200)])
    fold = np.repeat([0, 1], 200)
    right = (features[:, 1] > 0.5) ^ (fold == 1)
    heard = Heard(features=features, right=right, fold=fold, task=np.full(400, "t"))
    confidence = crossed(heard, np.ones(400))
    assert ((confidence > 0.5) != right).all()


def test_presets_are_shares_of_the_commands_however_they_were_heard() -> None:
    own = "commands against home-car.jsgf"
    confidence = np.concatenate([np.linspace(0, 1, 1001), [0.4, 0.03]])
    heard = Heard(
        features=np.ones((1003, 1)),
        right=np.array([i % 3 != 1 for i in range(1001)] + [False] * 2),
        fold=np.zeros(1003, int),
        task=np.array([own] * 1001 + ["librispeech against home.yaml"] * 2),
    )
    presets = thresholds(heard, confidence)
    assert presets == {"lenient": 0.004, "balanced": 0.01, "strict": 0.04}
    assert thresholds(heard, confidence, {"balanced": 0.2}) == {"balanced": 0.2}
    point = dict(operating_point(heard, confidence, presets["strict"]))
    assert point == {
        "least_confidence": 0.04,
        f"{own}: refused": pytest.approx(0.04, abs=1e-3),
        "librispeech against home.yaml: accepted": 0.5,
    }
