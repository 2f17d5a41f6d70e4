from __future__ import annotations

from typing import Any, NoReturn

import pytest
from letter_model import write_letter_model

from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.vocabulary import cover, find_ways, wanted_words, with_ways
from edge_asr.errors import UsageError
from export.dictionary import PHONES

TOKENS = Tokens(["<blk>", *PHONES])
LEXICON = Lexicon("lamp L AE M P\nroute R UW T\nroute R AW T\nberlin B ER L IH N\n", TOKENS)


@pytest.fixture(scope="module")
def g2p(tmp_path_factory: pytest.TempPathFactory) -> G2p:
    return G2p(write_letter_model(tmp_path_factory.mktemp("g2p") / "g2p.onnx", TOKENS.names), TOKENS)


def not_asked() -> NoReturn:
    raise AssertionError("nothing is to be guessed")


def test_the_user_wins_then_the_lexicon_then_a_guess(g2p: G2p) -> None:
    wanted = wanted_words({"route": "R AW T", "lamp": None, "dorn": (), "yes": ["Y AE", "Y EH"], "mik": None})
    report = find_ways(wanted, LEXICON, lambda: g2p)
    assert [str(way) for way in report.spoken] == [
        "user: route  R AW T",
        "lexicon: route  R UW T",
        "lexicon: lamp  L AE M P",
        "guessed: dorn  D AA R N",
        "user: yes  Y AE",
        "user: yes  Y EH",
        "guessed: mik  M IH K",
    ]
    assert report.words == ("route", "lamp", "dorn", "yes", "mik")
    assert [way.word for way in report.guessed] == ["dorn", "mik"]
    assert report.of("route") == report.spoken[:2]
    lexicon = with_ways(LEXICON, report)
    assert [TOKENS.names[way[1]] for way in lexicon.pronunciations("route")] == ["AW", "UW"]
    assert len(lexicon) == 6


def test_plain_writing_is_looked_up(g2p: G2p) -> None:
    report = find_ways(wanted_words(["Berlin", "Dörn", "lamp-route"]), LEXICON, lambda: g2p)
    assert [str(way) for way in report.spoken] == [
        "lexicon: Berlin  B ER L IH N",
        "guessed: Dörn  D AA R N",
        "guessed: lamp-route  L AE M P R UW T",
    ]


def test_what_is_known_needs_no_model() -> None:
    report = find_ways(wanted_words({"lamp": None, "日本": "N IY"}), LEXICON, not_asked)
    assert [way.source for way in report.spoken] == ["lexicon", "user"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("lamp", r"write \['lamp'\]"),
        (["living room"], "one word without spaces, got 'living room'"),
        ([""], "one word without spaces, got ''"),
        ([" lamp"], "got ' lamp'"),
        ([7], "got 7"),
        ({"lamp": ""}, "'lamp': expected a pronunciation"),
        ({"lamp": ["L", " "]}, "'lamp': expected a pronunciation"),
    ],
)
def test_what_is_no_word_is_refused(words: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        wanted_words(words)


@pytest.mark.parametrize("phones", ["L AX M", "L <blk> M", "l ae m"])
def test_a_phone_that_the_model_lacks_is_named_with_those_it_has(phones: str) -> None:
    with pytest.raises(UsageError, match=f"'lamp': '{phones.split()[phones[0] == 'L']}' is no phone.* ZH$"):
        find_ways(wanted_words({"lamp": phones}), LEXICON, not_asked)


def test_without_a_model_all_unknown_words_are_named() -> None:
    with pytest.raises(UsageError, match="unknown words 'dorn', 'mik'"):
        find_ways(wanted_words(["dorn", "lamp", "mik"]), LEXICON, lambda: None)


def test_all_words_that_cannot_be_guessed_are_named(g2p: G2p) -> None:
    with pytest.raises(UsageError, match=r"'日本'.*'12345678'"):
        find_ways(wanted_words(["日本", "dorn", "12345678"]), LEXICON, lambda: g2p)


def test_a_grammars_words_are_covered_as_far_as_they_go(g2p: G2p) -> None:
    lexicon, guessed = cover(["dorn", "日本", "Berlin"], LEXICON, g2p)
    assert [str(way) for way in guessed] == ["guessed: dorn  D AA R N"]
    assert {"dorn", "Berlin"} <= set(lexicon.words())
    assert "日本" not in lexicon
    assert "dorn" not in LEXICON
