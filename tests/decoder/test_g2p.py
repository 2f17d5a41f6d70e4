from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from letter_model import LETTERS, write_letter_model

from edge_asr import bundle
from edge_asr.bundle import packaged_g2p
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import BundleError, UsageError
from export.dictionary import PHONES

TOKENS = Tokens(["<blk>", *PHONES])


@pytest.fixture(scope="module")
def g2p(tmp_path_factory: pytest.TempPathFactory) -> G2p:
    return G2p(write_letter_model(tmp_path_factory.mktemp("g2p") / "g2p.onnx", TOKENS.names), TOKENS)


def phones(pronunciation: tuple[int, ...]) -> str:
    return " ".join(TOKENS.names[token] for token in pronunciation)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lamp", "L AE M P"),
        ("Lamp's", "L AE M P S"),
        ("happy", "AE P IY"),  # a repeated phone counts once
        ("pohpo", "P AA P AA"),
        ("shh", "S"),
        ("hh", "EY CH EY CH"),  # nothing but silent letters: spelled
        ("h", "EY CH"),
        ("x-ray", "EH K S R AE IY"),
        ("mp3", "M P T R EH"),
        ("crème", "K R EH M EH"),
    ],
)
def test_letters_become_phones(g2p: G2p, word: str, said: str) -> None:
    assert phones(g2p.pronounce(word)) == said


def test_parts_that_the_lexicon_knows_are_said_as_it_says(g2p: G2p) -> None:
    lexicon = Lexicon("three TH R IY\nthree T R IY\nx AE\n", TOKENS)
    assert [phones(p) for p in g2p.pronounce_all(["mp3", "x-ray"], lexicon)] == [
        "M P TH R IY",
        "EH K S R AE IY",  # a single letter is spelled
    ]


@given(st.lists(st.text(LETTERS, min_size=1, max_size=12).filter(lambda t: t.strip("'")), max_size=40))
def test_company_changes_nothing_and_nothing_is_empty(g2p: G2p, words: list[str]) -> None:
    together = g2p.pronounce_all(words)
    assert together == [g2p.pronounce(word) for word in words]
    assert all(together)


def test_more_words_than_fit_in_one_run(g2p: G2p) -> None:
    words = [f"{a}{b}{c}" for a in "abcdefg" for b in "klmnopr" for c in "stuvwyz"]
    assert g2p.pronounce_all(words) == [g2p.pronounce(word) for word in words]


def test_a_word_that_cannot_be_spoken_is_named(g2p: G2p) -> None:
    with pytest.raises(UsageError, match="日本"):
        g2p.pronounce_all(["lamp", "日本"])


def test_the_models_tokens_find_those_of_the_acoustic_model(tmp_path: Path) -> None:
    """The numbers may differ: names decide."""
    other = Tokens(["<blk>", *reversed(PHONES), "SIL"])
    path = write_letter_model(tmp_path / "g2p.onnx", TOKENS.names)
    assert [other.names[token] for token in G2p(path, other).pronounce("lamp")] == ["L", "AE", "M", "P"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"letters": ""}, "does not say its letters"),
        ({"letters": "abc"}, "expected the letters a to z"),
        ({"tokens": " ".join(["<blk>", *PHONES[:-1], "Q"])}, "'Q', which is no token"),
        ({"tokens": " ".join([*PHONES, "<blk>"])}, "'AA', which is no token"),
        ({"tokens": "<blk> AA"}, "expected letters"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    path = write_letter_model(tmp_path / "g2p.onnx", TOKENS.names, **metadata)
    with pytest.raises(BundleError, match=message):
        G2p(path, TOKENS)


def test_a_broken_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "g2p.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(BundleError, match=r"g2p\.onnx"):
        G2p(path, TOKENS)


def test_a_letter_that_cannot_be_spelled_is_a_fault_of_the_bundle(tmp_path: Path) -> None:
    names = ["<blk>", *(phone for phone in PHONES if phone != "CH")]
    g2p = G2p(write_letter_model(tmp_path / "g2p.onnx", names), Tokens(names))
    with pytest.raises(BundleError, match="'hh' must be spelled, but 'CH'"):
        g2p.pronounce("hh")


@pytest.mark.parametrize("language", ["en", "en-GB", "EN-us"])
def test_the_packaged_model_guesses_for_every_english_bundle(language: str) -> None:
    g2p = G2p.of_language(language, TOKENS)
    assert g2p is not None
    assert phones(g2p.pronounce("zorgbid")) == "Z AO R G B IH D"


def test_other_languages_and_phones_have_no_packaged_model() -> None:
    assert G2p.of_language("und", TOKENS) is None
    assert G2p.of_language("en", Tokens(["<blk>", "a", "b"])) is None


def test_a_changed_packaged_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = packaged_g2p("en")
    assert whole is not None
    directory = tmp_path / "g2p-en"
    directory.mkdir()
    monkeypatch.setattr(bundle, "_MODELS", tmp_path)
    (directory / "g2p.onnx").write_bytes(whole.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match=r"g2p\.onnx\.sha256: cannot be read"):
        packaged_g2p("en")
    (directory / "g2p.onnx.sha256").write_text((whole.parent / "g2p.onnx.sha256").read_text())
    with pytest.raises(BundleError, match=r"g2p\.onnx: was changed"):
        G2p.of_language("en", TOKENS)
