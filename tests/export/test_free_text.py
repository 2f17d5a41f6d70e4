"""Other words and another language model for a bundle whose run is gone."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from edge_asr import Final, Recognizer
from edge_asr.audio.file import read_audio
from edge_asr.bundle import LEXICON, PHONE_LOOP, WORD_LOOP, Bundle
from edge_asr.errors import BundleError, GrammarError, UsageError

pytest.importorskip("torch", reason="needs torch (the extra train)")
pytest.importorskip("onnx", reason="needs onnx (the extra export)")

from export.__main__ import main

TEXT = "turn on the lights in the leaving groom\n" * 50
ARPA = """\\data\\
ngram 1=7
ngram 2=1

\\1-grams:
-99 <s>
-1 </s>
-1 turn
-1 lights
-1 zorblatts
-1 日本
-1 on -0.5

\\2-grams:
-0.2 turn on

\\end\\
"""


SILENT = "\\data\\\nngram 1=1\n\n\\1-grams:\n-1 日本\n\n\\end\\\n"


@pytest.fixture
def sample(repository: Path) -> Path:
    return repository / "edge_asr" / "samples" / "living-room-lights.flac"


def heard(bundle: Path, sample: Path) -> str:
    stream = Recognizer.load(bundle).stream()
    events = [*stream.accept_waveform(read_audio(sample)), *stream.finish()]
    return next(event.text for event in events if isinstance(event, Final))


def test_text_of_a_user_becomes_what_a_bundle_hears(
    tmp_path: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, lexicon, lm = tmp_path / "text.txt", tmp_path / "lexicon.txt", tmp_path / "lm.arpa"
    text.write_text(TEXT)
    known = lzma.decompress(Bundle.load("en-tiny").path(LEXICON).read_bytes()).decode()
    words = set(TEXT.split())
    lexicon.write_text("".join(f"{line}\n" for line in known.splitlines() if line.split()[0] in words))
    assert main(["lm", "--text", str(text), "--lexicon", str(lexicon), "--out", str(lm)]) == 0
    arguments = ["free-text", "en-tiny", "--lm", str(lm), "--lexicon", str(lexicon), "--name", "own"]
    assert main([*arguments, "--out", str(tmp_path), "--decoder", "lm_scale=1.5"]) == 0
    made, before = Bundle.load(tmp_path / "own"), Bundle.load("en-tiny")
    assert heard(made.directory, sample) == TEXT.splitlines()[0]
    assert (made.config.name, made.config.decoder.lm_scale) == ("own", 1.5)
    assert made.config.acoustic == before.config.acoustic
    changed = {file for file, sha in made.config.files.items() if before.config.files[file] != sha}
    assert changed == {WORD_LOOP, LEXICON, "CARD.md"}, "and the phones, with the calibration, are as before"
    assert PHONE_LOOP in made.config.files
    card = made.path("CARD.md").read_text(encoding="utf-8")
    assert card.count("## Free text") == 1 and "`en-tiny`" in card.partition("## Free text")[2]
    assert f"try edge-asr transcribe --model {tmp_path / 'own'}" in capsys.readouterr().out


def test_arpa_file_of_another_tool_is_enough(
    tmp_path: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lm = tmp_path / "lm.arpa"
    lm.write_text(ARPA, encoding="utf-8")
    assert main(["free-text", "en-tiny", "--lm", str(lm), "--name", "own", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "guessed: zorblatts" in printed and "nobody can pronounce: 日本" in printed
    recognizer = Recognizer.load(tmp_path / "own")
    assert {output.word for output in recognizer.word_loop().outputs} == {"turn", "on", "lights", "zorblatts"}
    assert "zorblatts" in recognizer.lexicon and "kitchen" in recognizer.lexicon
    assert heard(tmp_path / "own", sample).startswith("turn on")


@pytest.mark.parametrize(
    ("arguments", "error", "problem"),
    [
        ([], UsageError, "nothing to change"),
        (["--lm", "none.arpa"], UsageError, "none.arpa: cannot be read"),
        (["--lexicon", "none.txt"], BundleError, "none.txt: cannot read the lexicon"),
        (["--lexicon", "LEXICON"], BundleError, "'turn' uses 'TT'"),
        (["--lm", "ARPA", "--decoder", "beam=wide"], UsageError, "--decoder: expected KEY=NUMBER"),
        (["--lm", "ARPA", "--name", "My Own"], UsageError, "--name: expected lower-case"),
        (["--lm", "ARPA", "--name", "kept"], UsageError, "exists and is no bundle"),
        (["--lm", "SILENT"], GrammarError, "needs at least one word"),
    ],
)
def test_what_cannot_be_made_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    error: type[UsageError],
    problem: str,
) -> None:
    files = {
        "LEXICON": "turn TT\n",
        "ARPA": ARPA,
        "SILENT": "\\data\\\nngram 1=1\n\n\\1-grams:\n-1 日本\n\n\\end\\\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("precious")
    given = [str(tmp_path / argument) if argument in files else argument for argument in arguments]
    assert main(["free-text", "en-tiny", "--name", "own", "--out", str(tmp_path), *given]) == error.exit_code
    assert problem in capsys.readouterr().err
    assert (tmp_path / "kept" / "file").read_text() == "precious" and not (tmp_path / "own").exists()
