from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_asr.cli import main


@pytest.fixture
def grammar(tmp_path: Path) -> Path:
    file = tmp_path / "own.txt"
    file.write_text(
        "turn on the light\nturn on the 日本\nthe 2nd light\nturn it to two\nturn it to too\n",
        encoding="utf-8",
    )
    return file


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = main(["grammar", "check", *map(str, arguments)])
    printed = capsys.readouterr()
    assert printed.err == ""
    return code, printed.out


def test_people_get_rejects_with_file_and_line(grammar: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, grammar)
    assert code == 0
    rows = [line.split(maxsplit=1) for line in text.splitlines()]
    assert rows[0] == [str(grammar)]
    assert ["sentences", "3"] in rows
    assert ["own.txt:2", "unknown word '日本'"] in rows
    assert any(row[0] == "own.txt:3" and "2nd" in row[1] for row in rows)
    assert "'turn it to two'  own.txt:4" in text
    assert "'turn it to too'  own.txt:5" in text
    assert "T UW" not in text


def test_words_lists_pronunciations(grammar: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, text = run(capsys, "--words", grammar)
    assert "    two    T UW" in text.splitlines()


def test_guesses_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.txt"
    file.write_text("turn on the flurbelizer\n")
    code, text = run(capsys, file)
    assert code == 0
    assert "    guessed: flurbelizer  F L ER B AH L AY Z ER" in text.splitlines()
    guessed = json.loads(run(capsys, "--json", file)[1])["guessed"]
    assert guessed == {"flurbelizer": "F L ER B AH L AY Z ER"}


def test_json_has_everything(grammar: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "--json", "--words", grammar)
    report: dict[str, Any] = json.loads(text)
    assert code == 0
    [file] = report["files"]
    assert file["sentences"] == 3
    assert file["sentences_shown"] == "3"
    assert [reject["line"] for reject in file["rejects"]] == [2, 3]
    [ambiguity] = report["ambiguities"]
    assert ambiguity["kind"] == "sound alike"
    assert {ambiguity["first"]["text"], ambiguity["second"]["text"]} == {"turn it to two", "turn it to too"}
    assert report["lexicon"]["two"] == ["T UW"]
    assert report["words"] == len(report["lexicon"])
    assert report["pronunciations"] == sum(map(len, report["lexicon"].values()))


def test_endless_grammars_are_valid_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.jsgf"
    file.write_text("#JSGF V1.0;\ngrammar g;\npublic <go> = go+;\n")
    [found] = json.loads(run(capsys, "--json", file)[1])["files"]
    assert (found["sentences"], found["sentences_shown"]) == (None, "endlessly many")


@pytest.mark.parametrize(
    ("text", "flags", "code"),
    [
        ("turn on\n", [], 0),
        ("turn on\n", ["--strict"], 0),
        ("turn on\nflurbelizer\n", [], 0),
        ("turn on\nflurbelizer\n", ["--strict"], 2),
        ("flurbelizer\n", [], 0),
        ("日本\n", [], 2),
        ("", [], 2),
    ],
)
def test_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, flags: list[str], code: int
) -> None:
    file = tmp_path / "a.txt"
    file.write_text(text, encoding="utf-8")
    assert run(capsys, *flags, file)[0] == code


@pytest.mark.parametrize(
    ("sample", "sentences"), [("home.yaml", "1,515,123"), ("radio.jsgf", "endlessly many")]
)
def test_samples_are_sound(
    repository: Path, capsys: pytest.CaptureFixture[str], sample: str, sentences: str
) -> None:
    code, text = run(capsys, "--strict", repository / "edge_asr" / "samples" / sample)
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert code == 0
    assert {f"sentences {sentences}", "left out nothing", "ambiguities none"} <= set(rows)
