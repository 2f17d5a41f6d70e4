from __future__ import annotations

import pytest

from edge_asr.decoder.grammar.census import count_sentences, enumerate_sentences
from edge_asr.decoder.grammar.match import match
from edge_asr.decoder.grammar.sentences import parse_sentences, sentences_network
from edge_asr.errors import GrammarError
from edge_asr.understand.intent import interpret

TEXT = """\
# answers

Yes
no thank you
  No, thank you.
turn it up to 20
Yes
"""


def test_each_line_is_a_sentence() -> None:
    assert set(enumerate_sentences(parse_sentences(TEXT), 100)) == {
        "yes",
        "no thank you",
        "turn it up to twenty",
    }


def test_sentences_carry_no_intent() -> None:
    path = match(parse_sentences(TEXT), ["yes"])
    assert path == [("yes", ()), (None, ())]
    assert interpret(path) is None


def test_words_know_their_line() -> None:
    assert dict(parse_sentences(TEXT).vocabulary())["turn"] == 6


def test_closed_choice() -> None:
    network = sentences_network(["red", "blue", "red"])
    assert count_sentences(network) == 2
    assert dict(network.vocabulary()) == {"red": 1, "blue": 2}


@pytest.mark.parametrize("text", ["", "# only a comment\n\n"])
def test_no_sentence_is_refused(text: str) -> None:
    with pytest.raises(GrammarError, match="at least one sentence"):
        parse_sentences(text)


def test_mistake_names_its_line() -> None:
    with pytest.raises(GrammarError) as caught:
        parse_sentences("fine\n\nthe 2nd floor\n", "list.txt")
    assert str(caught.value).startswith("list.txt:3: ")
    with pytest.raises(GrammarError) as caught:
        parse_sentences("fine\n...\n", "list.txt")
    assert caught.value.line == 2
