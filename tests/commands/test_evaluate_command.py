"""``edge-asr evaluate``: the counting, on the bundled sample."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge_asr.cli import main
from edge_asr.commands.evaluate import group_of

SENTENCE = "turn on the lights in the living room"

pytest.importorskip("jiwer", reason="evaluate needs jiwer")


@pytest.fixture
def manifest(tmp_path: Path, repository: Path) -> Path:
    shutil.copy(repository / "edge_asr" / "samples" / "living-room-lights.flac", tmp_path / "a.flac")
    lines = [
        {"audio": "a.flac", "text": SENTENCE, "split": "dev", "age": 40},
        {"audio": "a.flac", "text": SENTENCE.replace("on", "off"), "split": "dev", "age": 9},
        {"audio": "a.flac", "text": SENTENCE, "split": "train", "age": 9},
        {"audio": "a.flac", "text": "", "split": "dev"},
    ]
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_groups_and_total(manifest: Path, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grammar = repository / "edge_asr" / "samples" / "home.yaml"
    command = ["evaluate", "--manifest", str(manifest), "--grammar", str(grammar), "--split", "dev", "--json"]
    assert main([*command, "--engine", "numpy"]) == 0
    reports = {r["group"]: r for r in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(reports) == {"adults", "under 18", "all"}
    assert (reports["adults"]["wer"], reports["adults"]["right"]) == (0, 1)
    assert (reports["under 18"]["wer"], reports["under 18"]["right"]) == (0.125, 0)
    assert reports["all"]["utterances"] == 2
    assert reports["all"]["engine"] == "numpy"
    assert reports["all"]["wer"] == 0.0625
    assert reports["all"]["real_time_factor"] > 0


def test_table_for_people(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--manifest", str(manifest), "--limit", "1"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert "WER %" in header
    assert row.startswith("all")


@pytest.mark.parametrize(
    ("content", "message"),
    [('{"audio": 1}\n', "m.jsonl:1"), ("nonsense\n", "m.jsonl:1"), ("", "no line to evaluate")],
)
def test_bad_manifest_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    (tmp_path / "m.jsonl").write_text(content)
    assert main(["evaluate", "--manifest", str(tmp_path / "m.jsonl")]) == 2
    assert message in capsys.readouterr().err


def test_groups_of_a_line() -> None:
    assert group_of({"age": 17}, None) == "under 18"
    assert group_of({"age": 18}, None) == "adults"
    assert group_of({"accent": "Scottish"}, "accent") == "Scottish"
    assert group_of({"group": "kitchen", "age": 3}, None) == "kitchen"
    assert group_of({}, None) == "unknown"
