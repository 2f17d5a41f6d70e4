from pathlib import Path

import pytest

from edge_asr.errors import UsageError
from export import recordings
from export.corpus import Utterance
from export.recordings import choose, find_recordings


def _utterance(corpus: str, speaker: str, file: str, **changes: object) -> Utterance:
    fields = {"text": "hello", "split": "dev", "seconds": 2.0} | changes
    return Utterance(audio=Path(file), speaker=speaker, corpus=corpus, **fields)  # type: ignore[arg-type]


def test_sets_take_turns_and_speakers_within_them() -> None:
    utterances = [
        _utterance("a", "s1", "a12"),
        _utterance("a", "s1", "a11"),
        _utterance("a", "s2", "a21"),
        _utterance("b", "s3", "b31"),
        _utterance("b", "s3", "b32"),
    ]
    expected = ["a11", "b31", "a21", "b32", "a12"]
    assert [u.audio.name for u in choose(utterances, 9)] == expected
    assert [u.audio.name for u in choose(reversed(utterances), 3)] == expected[:3]


def test_only_short_spoken_dev_recordings_count() -> None:
    utterances = [
        _utterance("a", "s", "train", split="train"),
        _utterance("a", "s", "noise", text=""),
        _utterance("a", "s", "long", seconds=60.0),
        _utterance("a", "s", "good"),
    ]
    assert [u.audio for u in choose(utterances, 9)] == [Path("good")]


def test_without_a_corpus_the_packaged_samples_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.wav", "a.opus", "README.md"):
        (tmp_path / name).touch()
    monkeypatch.setattr(recordings, "_SAMPLES", tmp_path)
    found = find_recordings([], tmp_path / "absent", 5)
    assert [(u.audio.name, u.text) for u in found] == [("a.opus", ""), ("b.wav", "")]


def test_nothing_to_hear_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_SAMPLES", tmp_path)
    with pytest.raises(UsageError, match="no spoken dev recording"):
        find_recordings([], tmp_path / "absent", 5)
    with pytest.raises(UsageError, match="no such manifest"):
        find_recordings([tmp_path / "manifest.jsonl"], tmp_path, 5)
