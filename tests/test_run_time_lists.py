"""Lists that join a loaded grammar, open slots, and what is left of a grammar with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from street import SENTENCE, finals, run

from edge_asr import Final, Intent, Recognizer, Rejected
from edge_asr.arrays import Float32Array
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.open_words import OpenWords
from edge_asr.errors import GrammarError

ROOMS = """#JSGF V1.0; grammar rooms;
import <lists.room>; import <edge_asr.anything>;
public <On> = turn on the (lights | radio) in the <room>{room};
"""


def test_list_joins_a_loaded_grammar(recognizer: Recognizer, sample: Float32Array) -> None:
    loaded = recognizer.compile([parse_jsgf(ROOMS, "rooms.jsgf")])
    [event] = finals(run(recognizer, loaded, [sample]))
    assert isinstance(event, Rejected), "nothing can be said in the place of an empty list"
    joined = recognizer.join(loaded, {"room": {"bedroom": 1, "living room": 2, "kitchen": 3}})
    final, intent = finals(run(recognizer, joined, [sample]))
    assert isinstance(final, Final) and final.text == SENTENCE
    assert isinstance(intent, Intent) and (intent.name, intent.slots) == ("On", {"room": 2})
    [other, _] = finals(run(recognizer, recognizer.join(loaded, {"room": ["living groom"]}), [sample]))
    assert isinstance(other, Final) and other.text == SENTENCE.replace("room", "groom")
    whole = recognizer.compile([parse_jsgf(ROOMS, "rooms.jsgf")], lists={"room": ["living room"]})
    assert finals(run(recognizer, whole, [sample]))[0].text == SENTENCE  # type: ignore[attr-defined]


def test_list_that_is_empty_changes_nothing(recognizer: Recognizer) -> None:
    loaded = recognizer.compile([parse_jsgf(ROOMS)], lists={"room": []})
    assert recognizer.join(loaded, {"room": ["hall"]}).holes == ()


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"rooms": ["hall"]}, "no grammar has an empty run-time list 'rooms'; it has room"),
        ({"edge_asr.anything": ["hall"]}, "no grammar has an empty run-time list 'edge_asr.anything'"),
        ({"room": ["hall", "日本 pantry"]}, "room:2: unknown word '日本'"),
        ({"room": ["hall", "the 2nd"]}, "room:2: "),
    ],
)
def test_list_that_cannot_join_is_named(
    recognizer: Recognizer, lists: dict[str, list[str]], problem: str
) -> None:
    with pytest.raises(GrammarError, match=problem):
        recognizer.compile([parse_jsgf(ROOMS)], lists=lists)


def test_entries_with_mistakes_are_left_out_and_the_others_join(
    recognizer: Recognizer, sample: Float32Array
) -> None:
    rejects: list[Reject] = []
    lists = {"room": ["日本 pantry", "living room", "the 2nd", "!!!"]}
    graph = recognizer.compile([parse_jsgf(ROOMS)], rejects, lists=lists)
    assert sorted(reject.place for reject in rejects) == ["room:1", "room:3", "room:4"]
    final, intent = finals(run(recognizer, graph, [sample]))
    assert isinstance(final, Final) and final.text == SENTENCE
    assert isinstance(intent, Intent) and intent.slots == {"room": "living room"}
    with pytest.raises(GrammarError, match="room:3"):
        recognizer.compile([parse_jsgf(ROOMS)], [], lists=lists, strict=True)


def test_list_of_which_nothing_is_left_stays_empty(recognizer: Recognizer) -> None:
    loaded = recognizer.compile([parse_jsgf(ROOMS)])
    rejects: list[Reject] = []
    joined = recognizer.join(loaded, {"room": ["日本", "!!!"]}, rejects)
    assert {reject.place for reject in rejects} == {"room:1", "room:2"}
    assert joined.states == loaded.states and joined.holes == loaded.holes


def test_open_slot_hears_words_that_nobody_wrote_down(recognizer: Recognizer, sample: Float32Array) -> None:
    grammar = ROOMS.replace("<room>{room}", "<anything>{where}")
    graph = recognizer.compile([parse_jsgf(grammar)])
    final, intent = finals(run(recognizer, graph, [sample]))
    assert isinstance(final, Final) and isinstance(intent, Intent)
    assert final.text.startswith("turn on the lights in the ")
    assert intent.slots["where"] == final.text.removeprefix("turn on the lights in the ")
    assert "room" in str(intent.slots["where"])
    smaller = recognizer.compile([parse_jsgf(grammar)], open_words=OpenWords(words=500))
    assert smaller.states < graph.states / 4


def test_open_slot_does_not_take_a_sentence_of_the_grammar(
    recognizer: Recognizer, sample: Float32Array
) -> None:
    grammar = ROOMS.replace("<room>{room}", "(living room | <anything>{where})")
    grammar += "public <Note> = <anything>{text} | turn <anything>{text};"
    final, intent = finals(run(recognizer, recognizer.compile([parse_jsgf(grammar)]), [sample]))
    assert isinstance(final, Final) and final.text == SENTENCE
    assert isinstance(intent, Intent) and (intent.name, intent.slots) == ("On", {})


def test_of_a_grammar_with_mistakes_the_rest_is_compiled(recognizer: Recognizer, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.jsgf"
    good.write_text("turn on the light\nturn on the 日本\nthe 2nd light\n", encoding="utf-8")
    bad.write_text("#JSGF V1.0;\ngrammar bad;\npublic <a> = (b;\n")
    rejects: list[Reject] = []
    graph = recognizer.compile([bad, good], rejects)
    assert [reject.place for reject in rejects] == ["bad.jsgf:3", "good.txt:3", "good.txt:2"]
    assert {output.word for output in graph.outputs} == {"turn", "on", "the", "light"}
    with pytest.raises(GrammarError, match=r"good\.txt:3"):
        recognizer.compile([good])
    with pytest.raises(GrammarError, match=r"bad\.jsgf:3"):
        recognizer.compile([bad], [])
