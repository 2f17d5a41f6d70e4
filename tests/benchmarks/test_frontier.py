"""What is beaten by none, and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")
pytest.importorskip("pyroomacoustics", reason="rooms need pyroomacoustics (the extra train)")
pytest.importorskip("torch", reason="needs torch (the extra train)")

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.frontier import form_of, graphs_in, mistakes, with_frontiers
from benchmarks.frontier_plot import draw
from benchmarks.listening import Answer
from benchmarks.pareto import unbeaten

_NUMBERS = st.integers(0, 6).map(float)


def test_a_point_that_is_worse_in_both_is_beaten() -> None:
    assert unbeaten([(3, 1), (1, 5), (2, 2), (4, 2), (2, 3)]) == [1, 2, 0]
    assert unbeaten([]) == []
    assert unbeaten([(1, 1), (1, 1), (2, 1)]) == [0, 1], "twins do not beat each other"


@given(st.lists(st.tuples(_NUMBERS, _NUMBERS), max_size=12))
def test_unbeaten_is_what_no_other_beats(points: list[tuple[float, float]]) -> None:
    expected = {
        i
        for i, (x, y) in enumerate(points)
        if not any(a <= x and b <= y and (a, b) != (x, y) for a, b in points)
    }
    found = unbeaten(points)
    assert set(found) == expected and len(found) == len(expected)


def test_forms_are_named_by_their_files(tmp_path: Path) -> None:
    for name in ("acoustic.static.onnx", "acoustic.int8.tflite", "acoustic.int8.json", "acoustic.tflite"):
        (tmp_path / name).touch()
    names = graphs_in(tmp_path)
    assert [form_of(name) for name in names] == ["float", "int8", "int8, tflite", "static", "float, tflite"]


def test_words_are_counted_in_free_text_and_sentences_in_commands() -> None:
    free = [Answer(words=6, errors=1), Answer(words=4, errors=1)]
    held = [Answer(words=3, errors=0), Answer(words=3, errors=2), Answer(words=3, errors=0)]
    found = mistakes({"librispeech": free, "commands": held})
    assert found == {"librispeech_wer": 0.2, "commands_wrong": 0.3333}


def _points() -> list[dict[str, Any]]:
    """Two networks, the smaller one mishears more; int8 is as good as float but for the small one's words."""
    small = {"model": "small", "librispeech_wer": 0.3, "commands_wrong": 0.1}
    large = {"model": "large", "librispeech_wer": 0.2, "commands_wrong": 0.1}
    return with_frontiers(
        [
            small | {"form": "float", "bytes": 4_000_000, "ms_per_audio_s": 3.0},
            small | {"form": "int8", "bytes": 1_000_000, "ms_per_audio_s": 2.0, "librispeech_wer": 0.31},
            large | {"form": "float", "bytes": 20_000_000, "ms_per_audio_s": 9.0},
            large | {"form": "int8", "bytes": 6_000_000, "ms_per_audio_s": 4.0},
        ]
    )


def test_each_point_names_its_frontiers() -> None:
    both = ["words by size", "words by time"]
    assert [point["frontiers"] for point in _points()] == [
        both, [*both, "commands by size", "commands by time"], [], both,
    ]  # fmt: skip


def test_the_picture_labels_every_point_in_every_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="pictures need matplotlib (the extra train)")
    from matplotlib.figure import Figure

    drawn: list[Any] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k))[1])
    draw({"points": _points()}, tmp_path / "frontier.png")
    assert (tmp_path / "frontier.png").read_bytes()[:4] == b"\x89PNG"
    for panel in drawn[0].axes:
        labels = [text for text in panel.texts if text.get_text()]
        assert sorted(text.get_text() for text in labels) == ["float", "float", "int8", "int8"]
        boxes = [text.get_window_extent() for text in labels]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
