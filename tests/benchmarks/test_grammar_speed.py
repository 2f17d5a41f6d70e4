from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import grammar_speed
from benchmarks.grammar_speed import GRAMMARS, measure, sentences, switching
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.distinct import distinct_sentences
from edge_asr.recognizer import Recognizer


def test_sentences_are_ten_thousand_and_different() -> None:
    assert len(set(sentences())) == 10_000


@pytest.mark.parametrize(
    ("name", "count"),
    [("lines.txt", 40), ("alternatives.jsgf", 40), ("templates.yaml", 160), ("lists.yaml", 24_000)],
)
def test_grammars_say_what_they_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    monkeypatch.setattr(grammar_speed, "SENTENCES", 40)
    file = tmp_path / name
    file.write_text(GRAMMARS[name]())
    assert distinct_sentences(load_grammar(file)).count == count


def test_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar_speed, "SENTENCES", 40)
    recognizer = Recognizer.load("en-tiny")
    file = tmp_path / "lines.txt"
    file.write_text(grammar_speed.as_lines())
    figures, graph = measure(recognizer, file, 1)
    assert figures["sentences"] == 40
    assert figures["arcs"] == graph.arcs
    assert figures["total_s"] == pytest.approx(figures["read_s"] + figures["compile_s"], abs=0.002)
    assert 0 < switching(recognizer, graph, 1)["use_ms"] < 1000
