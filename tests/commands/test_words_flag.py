"""``--words`` and ``--strict`` as their user meets them: a process, its output and its exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from letter_model import bundle_with_letter_model

from edge_asr.bundle import Bundle


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bundles") / "guessing"
    return bundle_with_letter_model(Bundle.load("en-tiny"), directory).directory


@pytest.fixture
def sample(repository: Path) -> Path:
    return repository / "edge_asr" / "samples" / "living-room-lights.flac"


def transcribe(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "edge_asr.cli", "transcribe", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_words_are_known_to_the_grammar_and_guesses_are_told(
    tmp_path: Path, model: Path, sample: Path
) -> None:
    words, grammar = tmp_path / "words.txt", tmp_path / "own.txt"
    words.write_text("livving L IH V IH NG\nzorgbid\n")
    grammar.write_text("turn on the lights in the livving room\nturn on the zorgbid\nturn off the mikdor\n")
    done = transcribe("--model", model, "--words", words, "--grammar", grammar, sample)
    assert done.returncode == 0
    assert "turn on the lights in the livving room" in done.stdout
    assert done.stderr.splitlines() == ["guessed: zorgbid  Z AA R G B IH D", "guessed: mikdor  M IH K D AA R"]


def test_strict_refuses_what_is_not_known(tmp_path: Path, model: Path, sample: Path) -> None:
    words, grammar = tmp_path / "words.txt", tmp_path / "own.txt"
    words.write_text("zorgbid\n")
    grammar.write_text("turn on the zorgbid\nturn off the mikdor\n")
    done = transcribe("--model", model, "--strict", "--words", words, "--grammar", grammar, sample)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "guessed: zorgbid  Z AA R G B IH D",
        "edge-asr: own.txt:2: unknown word 'mikdor'",
    ]


def test_words_are_known_to_free_text(tmp_path: Path, model: Path, sample: Path) -> None:
    (tmp_path / "words.txt").write_text("lights\n")
    (tmp_path / "bad.txt").write_text("zorgbid Z AO QQ\n")
    done = transcribe("--model", model, "--words", tmp_path / "words.txt", sample)
    assert (done.returncode, done.stderr) == (0, "")
    done = transcribe("--model", model, "--words", tmp_path / "bad.txt", sample)
    assert done.returncode == 2
    assert f"{tmp_path / 'bad.txt'}: 'zorgbid': 'QQ' is no phone of this model" in done.stderr
