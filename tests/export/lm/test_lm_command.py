from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_asr.errors import UsageError
from export.__main__ import main
from export.lm.arpa import read_arpa


@pytest.fixture
def text(sentences: list[list[str]], tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(words) + "\n" for words in sentences * 4))
    (tmp_path / "lexicon.txt").write_text("".join(f"{word} T\n{word} T T\n" for word in "abcdeg"))
    return path


def run(text: Path, *more: str) -> int:
    lexicon, out = text.parent / "lexicon.txt", text.parent / "lm.arpa"
    return main(["lm", "--text", str(text), "--lexicon", str(lexicon), "--out", str(out), *more])


def test_text_becomes_a_model(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(text) == 0
    model = read_arpa(text.parent / "lm.arpa")
    assert model.words == ("<unk>", "<s>", "</s>", *"abcdeg")
    assert model.order == 3
    printed = capsys.readouterr().out
    assert "text.txt: perplexity" in printed and f"{model.keys[2].size} of order 3" in printed


@pytest.mark.parametrize(("flag", "value", "ngrams"), [("--max-ngrams", "25", 25), ("--size", "92e-6", 29)])
def test_the_size_is_kept(text: Path, flag: str, value: str, ngrams: int) -> None:
    assert run(text, flag, value) == 0
    assert read_arpa(text.parent / "lm.arpa").ngrams == ngrams


def test_rare_ngrams_are_cut(text: Path) -> None:
    run(text, "--order", "2")
    everything = read_arpa(text.parent / "lm.arpa")
    assert run(text, "--order", "2", "--min-count", "20") == 0
    cut = read_arpa(text.parent / "lm.arpa")
    assert 0 < cut.keys[1].size < everything.keys[1].size
    assert cut.keys[0].size == everything.keys[0].size


def test_every_hundredth_line_is_not_learned_from(text: Path) -> None:
    lines = ["a b"] * 99 + ["c d"] + ["a b"] * 99 + ["c d"]
    text.write_text("\n".join(lines) + "\n")
    assert run(text, "--order", "2") == 0
    model = read_arpa(text.parent / "lm.arpa")
    c, d = model.words.index("c"), model.words.index("d")
    assert c * len(model.words) + d not in model.keys[1]


def test_shares_weigh_the_texts(text: Path) -> None:
    other = text.parent / "other.txt"
    other.write_text("g g g\n" * 200)

    def weight(share: str) -> float:
        assert run(text, "--text", f"{other}={share}", "--order", "1") == 0
        model = read_arpa(text.parent / "lm.arpa")
        return float(np.exp(model.log_probs[0][model.words.index("g")]))

    assert weight("0.1") < weight("1") < weight("9")


@pytest.mark.parametrize("value", ["text.txt=much", "text.txt=0", "text.txt=-1"])
def test_a_wrong_share_is_named(text: Path, capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert run(text, "--text", value) == UsageError.exit_code
    assert f"--text: expected FILE=SHARE with a share above 0, got {value!r}" in capsys.readouterr().err


def test_a_missing_text_is_named(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(text, "--text", "absent.txt") == UsageError.exit_code
    assert "absent.txt: no such text file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "has no word of the lexicon"),
        (b"xyz qqq\n" * 5, "has no word of the lexicon"),
        (b"a b\ncaf\xe9 a\n", "expected UTF-8 text, got byte 0xe9"),
    ],
)
def test_a_text_that_teaches_nothing_is_refused(
    text: Path, capsys: pytest.CaptureFixture[str], content: bytes, problem: str
) -> None:
    text.write_bytes(content)
    assert run(text) == UsageError.exit_code
    assert f"{text}" in (printed := capsys.readouterr().err) and problem in printed
    assert not (text.parent / "lm.arpa").exists()


def test_words_of_any_alphabet_and_typed_apostrophes_are_one_word(text: Path) -> None:
    text.write_text("\ufeffFür don\u2019t f\u0075\u0308r\n" * 3, encoding="utf-8")
    (text.parent / "lexicon.txt").write_text("für T\ndon't T\nf T\nr T\ndon T\nt T\n", encoding="utf-8")
    assert run(text, "--order", "2") == 0
    model = read_arpa(text.parent / "lm.arpa")
    size = len(model.words)
    pairs = {(model.words[key // size], model.words[key % size]) for key in model.keys[1].tolist()}
    assert pairs == {("<s>", "für"), ("für", "don't"), ("don't", "für"), ("für", "</s>")}
