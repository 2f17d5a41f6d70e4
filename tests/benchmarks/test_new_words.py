"""How new words are counted, and what they cost on a model that guesses by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from letter_model import bundle_with_letter_model

pytest.importorskip("jiwer", reason="benchmarks need jiwer (the extra evaluate)")

from benchmarks import new_words
from edge_asr.bundle import Bundle
from edge_asr.recognizer import Recognizer
from export.corpus import Utterance


def test_found_and_invented_words_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"a": "the zorg and the zorg", "b": "a mik", "c": "zorg mik"}
    hypotheses = {"a": "the zorg and the sort", "b": "a zorg", "c": ""}
    monkeypatch.setattr(new_words, "transcribe", lambda r, graph, audio: {"text": hypotheses[audio.name]})
    utterances = [
        cast(Utterance, SimpleNamespace(text=text, audio=Path(name))) for name, text in texts.items()
    ]
    recognizer = cast(Recognizer, SimpleNamespace(word_loop=lambda: None))
    report: dict[str, Any] = new_words.heard(recognizer, utterances, ["zorg", "mik"])
    assert (report["said"], report["found"], report["invented"]) == (5, 1, 1)
    assert report["wer"] == pytest.approx(4 / 9, abs=1e-4)


def test_the_cost_is_measured_on_unknown_words(tmp_path: Path) -> None:
    bundle = bundle_with_letter_model(Bundle.load("en-tiny"), tmp_path / "guessing")
    report = new_words.cost(str(bundle.directory))
    assert report["words"] == 1000
    assert report["added_words"] == 100
    assert 0 < report["guess_ms_per_word"] < report["guess_ms_per_word_alone"]
    assert report["add_ms"] > 0


def test_the_guesser_says_how_it_was_measured() -> None:
    g2p = Recognizer.load("en-tiny").g2p
    assert g2p is not None
    report = new_words.guessing(g2p)
    assert report["held_out_words"] > 5_000
    assert 0 < report["phone_error"] < report["word_error"] <= 0.3
    assert report["bytes"] <= 1_500_000
