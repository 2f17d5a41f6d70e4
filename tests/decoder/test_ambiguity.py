from __future__ import annotations

import itertools
from collections import defaultdict

import pytest
from drawn_networks import networks
from exhaustive_ctc import sentences
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.decoder import ambiguity as ambiguity_module
from edge_asr.decoder.ambiguity import Ambiguities, Sounding
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.sentences import parse_sentences
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import Path, WordNetwork
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.wordgraph import build_word_graph

LEXICON = Lexicon("a A\nab A B\nabc A B C\nbc B C\nbee B\nbe B\nc C\nc A\n", Tokens(["<blk>", "A", "B", "C"]))
HEADER = "#JSGF V1.0;\ngrammar g;\n"


def found(*drawn: WordNetwork) -> list[Sounding]:
    words = {word for network in drawn for word, _ in network.vocabulary()}
    said = {word: LEXICON.pronunciations(word) for word in words}
    return list(Ambiguities(build_word_graph(drawn), said))


def words_of(path: Path) -> tuple[str, ...]:
    return tuple(word for word, _ in path if word is not None)


def sounds(words: tuple[str, ...]) -> set[tuple[int, ...]]:
    """All phone strings of a sentence."""
    ways = itertools.product(*(LEXICON.pronunciations(word) for word in words))
    return {tuple(itertools.chain.from_iterable(way)) for way in ways}


@settings(max_examples=50)
@given(st.lists(networks(words=("a", "ab", "bc", "bee", "be", "c"), cycles=False), min_size=1, max_size=2))
def test_finds_sentences_that_sound_the_same_if_there_are_any(drawn: list[WordNetwork]) -> None:
    said: dict[tuple[int, ...], set[tuple[str, ...]]] = defaultdict(set)
    accepted = {words for network in drawn for words, _, _ in sentences(network, 8) if words}
    for words in accepted:
        for phones in sounds(words):
            said[phones].add(words)
    expected = any(len(same) > 1 for same in said.values())
    pairs = [(words_of(first), words_of(second)) for first, second, _ in found(*drawn)]
    assert any(first != second for first, second in pairs) == expected
    for first, second in pairs:
        assert {first, second} <= accepted
        assert sounds(first) & sounds(second)


@pytest.mark.parametrize(
    ("lines", "pairs"),
    [
        ("a bee\nab\n", {("a bee", "ab")}),
        ("a bee\na be\n", {("a bee", "a be")}),
        ("bee a\nbe c\n", {("bee a", "be c")}),
        ("abc\na bc\n", {("abc", "a bc")}),
        ("a\nab\nabc\n", set()),
        ("ab c\na bee c\n", {("ab c", "a bee c")}),
        ("a a\nc a\n", {("a a", "c a")}),
    ],
)
def test_examples(lines: str, pairs: set[tuple[str, str]]) -> None:
    got = {
        tuple(sorted((" ".join(words_of(s.first)), " ".join(words_of(s.second)))))
        for s in found(parse_sentences(lines))
    }
    assert got == {tuple(sorted(pair)) for pair in pairs}


def test_the_same_words_with_other_marks_are_found() -> None:
    rules = "public <one> = a [ab] bc;\npublic <two> = a bc {s=1};"
    [sounding] = found(parse_jsgf(HEADER + rules))
    assert words_of(sounding.first) == words_of(sounding.second) == ("a", "bc")
    assert sounding.first != sounding.second


def test_grammars_are_named() -> None:
    [sounding] = found(parse_sentences("bee", "one"), parse_sentences("be", "two"))
    assert set(sounding.networks) == {"one", "two"}


def test_the_rest_of_the_sentence_is_said() -> None:
    [sounding] = found(parse_jsgf(HEADER + "public <s> = c c (bee | be) ab ab;"))
    assert {words_of(sounding.first), words_of(sounding.second)} == {
        ("c", "c", "bee", "ab", "ab"),
        ("c", "c", "be", "ab", "ab"),
    }


def test_the_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    network = parse_jsgf(HEADER + "public <x> = (a | ab | bc)+ c;\npublic <y> = (a | bee | c)+ bc;")
    words = {word for word, _ in network.vocabulary()}
    monkeypatch.setattr(ambiguity_module, "MOST_PAIRS", 3)
    search = Ambiguities(build_word_graph([network]), {word: LEXICON.pronunciations(word) for word in words})
    assert len(list(search)) < 100
    assert search.cut_short
