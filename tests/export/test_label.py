"""Labels of recordings that nobody has written down: kept, refused, cut, and gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="needs jiwer (the extra train)")

import soundfile

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.errors import UsageError
from export.__main__ import main
from export.corpus import read_set
from export.label import command
from export.label.labelled_set import REFUSED_FILE, SETTINGS_FILE

SAMPLE = Path(__file__).parents[2] / "edge_asr" / "samples" / "living-room-lights.flac"
SAID = "turn on the lights in the living room"
RATE_HZ = 16_000


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _label(*arguments: object) -> int:
    return main(["label", "--jobs", "1", *map(str, arguments)])


def _save(path: Path, samples: Float32Array) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE_HZ)
    return path


def _silence(seconds: float) -> Float32Array:
    noise = np.random.default_rng(1).normal(0, 1e-4, round(seconds * RATE_HZ))
    return noise.astype(np.float32)


@pytest.fixture(scope="module")
def spoken() -> Float32Array:
    return read_audio(SAMPLE)


def test_what_the_model_is_sure_of_becomes_a_set(
    spoken: Float32Array, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "talk", tmp_path / "made" / "own"
    _save(folder / "anna" / "one.wav", spoken)
    _save(folder / "bert" / "two.flac", _silence(2.0))
    (folder / "bert" / "notes.txt").write_text("no recording")
    (folder / "bert" / "three.wav").write_text("no recording either")
    assert _label(folder, "--out", out, "--json") == 0
    found = capsys.readouterr()
    assert "three.wav" in found.err
    assert json.loads(found.out) == {
        "recordings": 3,
        "utterances": 1,
        "hours": round(spoken.size / RATE_HZ / 3600, 3),
        "refused": 1,
        "unreadable": 1,
    }
    (kept,) = read_set(out.parent, "own", "train")
    assert (kept.text, kept.speaker, kept.seconds) == (SAID, "anna", spoken.size / RATE_HZ)
    assert kept.audio.resolve() == (folder / "anna" / "one.wav").resolve()
    assert 0.8 < kept.extra["confidence"] <= 1
    (refused,) = _rows(out / REFUSED_FILE)
    assert refused["text"] == "" and refused["recording"].endswith("two.flac")


def test_doubtful_labels_are_refused_and_say_how_they_differ(
    spoken: Float32Array, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    _save(folder / "a.wav", spoken)
    rows = [
        {"audio": "a.wav", "text": SAID.replace("living", "dining"), "speaker": "anna", "seconds": 3},
        {"audio": "missing.wav", "text": "left out", "split": "dev"},
    ]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert _label(folder, "--out", tmp_path / "own") == 0
    assert "12.5 % of the words that the set had were heard otherwise" in capsys.readouterr().out
    assert _label(folder, "--out", tmp_path / "none", "--least", "1") == 0
    assert "0 utterances of 1 recordings" in capsys.readouterr().out
    assert _rows(tmp_path / "none" / "manifest.jsonl") == []
    (refused,) = _rows(tmp_path / "none" / REFUSED_FILE)
    assert refused["text"] == SAID and refused["confidence"] < 1


def test_long_recordings_are_cut_where_someone_pauses(spoken: Float32Array, tmp_path: Path) -> None:
    pause = _silence(3.0)
    whole = np.concatenate([pause, spoken, pause, spoken, pause])
    path = _save(tmp_path / "talk" / "long.wav", whole)
    assert _label(path.parent, "--out", tmp_path / "own", "--longest", "8") == 0
    pieces = read_set(tmp_path, "own", "train")
    assert [piece.text for piece in pieces] == [SAID, SAID]
    for number, piece in enumerate(pieces):
        begins = 3.0 + number * (3.0 + spoken.size / RATE_HZ)
        samples = read_audio(piece.audio)
        assert samples.size == round(piece.seconds * RATE_HZ) < spoken.size + 0.6 * RATE_HZ
        # It is the stretch of the recording where that was said, to a sample.
        middle = samples[16_000:20_000]
        earliest = round((begins + 0.5) * RATE_HZ)
        near = whole[earliest : earliest + RATE_HZ + middle.size]
        at = earliest + int(np.argmax(np.correlate(near, middle, "valid"))) - 16_000
        np.testing.assert_allclose(samples, whole[at : at + samples.size], atol=1e-4)


def test_started_again_it_goes_on(
    spoken: Float32Array, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "talk", tmp_path / "own"
    for name in ("a", "b"):
        _save(folder / f"{name}.wav", spoken)
    assert _label(folder, "--out", out) == 0
    written = (out / "manifest.jsonl").read_text()
    first, second = written.splitlines(keepends=True)
    (out / "manifest.jsonl").write_text(first + second[:20])  # as a run leaves it that is ended
    heard: list[Path] = []
    original = command._safely

    def safely(path: Path, **settings: Any) -> Any:
        heard.append(path)
        return original(path, **settings)

    class Here:
        def __init__(self, jobs: int) -> None: ...

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *error: object) -> None: ...

        def map(self, function: Any, *of: Any, chunksize: int) -> Any:
            return map(function, *of)

    monkeypatch.setattr(command, "_safely", safely)
    monkeypatch.setattr(command, "ProcessPoolExecutor", Here)
    assert _label(folder, "--out", out) == 0
    assert heard == [folder / "b.wav"]
    assert (out / "manifest.jsonl").read_text() == written
    assert "2 utterances of 2 recordings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--least", "1.5"], "--least within 0 to 1"),
        (["--longest", "0"], "--longest"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_wrong_numbers(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", str(tmp_path), "--out", str(tmp_path / "own"), *arguments]) == UsageError.exit_code
    assert message in capsys.readouterr().err


def test_nothing_to_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _label(tmp_path / "missing", "--out", tmp_path / "own") == UsageError.exit_code
    assert "no such folder" in capsys.readouterr().err
    assert _label(tmp_path, "--out", tmp_path / "own") == UsageError.exit_code
    assert "no audio files" in capsys.readouterr().err
    (tmp_path / "manifest.jsonl").touch()
    for out in (tmp_path, tmp_path / "deep" / "own"):
        assert _label(tmp_path, "--out", out) == UsageError.exit_code
        assert "choose another folder" in capsys.readouterr().err


def test_a_set_that_was_made_otherwise_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "talk", tmp_path / "own"
    _save(folder / "a.wav", _silence(1.0))
    assert _label(folder, "--out", out) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert _label(folder, "--out", out, "--least", "0.5") == UsageError.exit_code
    assert "was made with another least" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    (out / SETTINGS_FILE).unlink()
    assert _label(folder, "--out", out) == UsageError.exit_code
    assert "not labelled here" in capsys.readouterr().err
