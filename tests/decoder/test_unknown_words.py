from __future__ import annotations

import itertools

import pytest

from edge_asr.decoder.compile import compile_networks
from edge_asr.decoder.grammar.census import enumerate_sentences
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.grammar.sentences import parse_sentences
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.unknown_words import known_part, require_known
from edge_asr.errors import GrammarError

LEXICON = Lexicon("a A\nb B\nc A B\n", Tokens(["<blk>", "A", "B"]))
MANY = ["".join(letters) for letters in itertools.islice(itertools.product("xyz", repeat=7), 1500)]


def test_sentences_with_unknown_words_are_left_out_by_line() -> None:
    rejects: list[Reject] = []
    part = known_part(parse_sentences("a b\nx a\nb\na x y\nx\n", "g.txt"), LEXICON, rejects)
    assert set(enumerate_sentences(part, 9)) == {"a b", "b"}
    assert [str(reject) for reject in rejects] == [
        "g.txt:2: unknown word 'x'",
        "g.txt:4: unknown word 'x'",
        "g.txt:4: unknown word 'y'",
        "g.txt:5: unknown word 'x'",
    ]


def test_only_the_alternative_with_the_unknown_word_is_lost() -> None:
    rules = "#JSGF V1.0;\ngrammar g;\npublic <go> = a (b | x |\n c y) [z];\npublic <lost> = x a;\n"
    rejects: list[Reject] = []
    part = known_part(parse_jsgf(rules, "g"), LEXICON, rejects)
    assert enumerate_sentences(part, 9) == ["a b"]
    assert [(reject.line, reject.message) for reject in rejects] == [
        (3, "unknown word 'x'"),
        (4, "unknown word 'y'"),
        (4, "unknown word 'z'"),
        (5, "unknown word 'x'"),
        (5, "nothing is left of the intent lost: all its sentences have unknown words"),
    ]


def test_a_known_vocabulary_is_left_alone() -> None:
    rejects: list[Reject] = []
    network = parse_sentences("a b\n")
    assert known_part(network, LEXICON, rejects) is network
    assert rejects == []


def test_where_nothing_is_left_the_words_are_named() -> None:
    rejects: list[Reject] = []
    with pytest.raises(GrammarError, match=r"g:1: unknown words 'x' \(line 1\), 'y' \(line 2\)"):
        known_part(parse_sentences("a x\ny\n", "g"), LEXICON, rejects)
    assert rejects == []


def test_the_error_does_not_list_a_whole_dictionary() -> None:
    with pytest.raises(GrammarError, match=r"and 500 more$"):
        require_known(parse_sentences("\n".join(MANY), "g"), LEXICON)


def test_the_rejects_do_not_list_a_whole_dictionary() -> None:
    rejects: list[Reject] = []
    known_part(parse_sentences("a\n" + "x b\nx x\n" * 600 + "x c\n" * 600), LEXICON, rejects)
    assert len(rejects) == 3
    rejects.clear()
    known_part(parse_sentences("\n".join(["a", *MANY])), LEXICON, rejects)
    assert len(rejects) == 1001
    assert rejects[-1].message == "500 more places with unknown words, which are not listed"


def test_of_several_grammars_the_known_ones_are_compiled() -> None:
    networks = [
        parse_sentences("a\nx\n", "one"),
        parse_sentences("y\n", "two"),
        parse_sentences("b\n", "three"),
    ]
    rejects: list[Reject] = []
    graph = compile_networks(networks, LEXICON, rejects)
    assert {ending.network for ending in graph.endings} == {"one", "three"}
    assert [str(reject) for reject in rejects] == ["one:2: unknown word 'x'", "two:1: unknown word 'y'"]
    with pytest.raises(GrammarError, match="one:2: unknown word 'x'"):
        compile_networks(networks, LEXICON)
    with pytest.raises(GrammarError, match="two:1: unknown word 'y'"):
        compile_networks(networks[1:2], LEXICON, [])
