from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from edge_asr.decoder.grammar import load_grammars
from edge_asr.decoder.grammar.distinct import MOST_COUNTED
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import GrammarError
from edge_asr.understand.check import MOST_EXAMPLES, Report, check_grammars

LEXICON = Lexicon(
    "turn T\non O\nhall H L\nhaul H L\nkitchen K\nto T U\ntwo T U\nthe D\nthe D E\nplease P\n"
    + "".join(
        f"w{chr(97 + i)}{end} W {' '.join('AB'[int(b)] for b in f'{i:05b}')}\n"
        for i in range(26)
        for end in "xy"
    ),
    Tokens(["<blk>", *"TOHLKUDEPWAB"]),
)
HOLES = """#JSGF V1.0; grammar g; import <lists.room>; import <edge_asr.anything>;
public <a> = turn on the <lists.room>{room} | please <anything>{x};
"""
TEMPLATES = """\
language: en
intents:
  A:
    data:
      - sentences:
          - "turn on [the] {area}"
          - "[please] turn on the {area}"
  B:
    data:
      - sentences:
          - "turn on the kitchen"
lists:
  area: {values: [kitchen, hall, haul]}
"""


def check(folder: Path, **files: str) -> Report:
    paths = []
    for name, text in files.items():
        paths.append(folder / name.replace("_", "."))
        paths[-1].write_text(text)
    return check_grammars(paths, LEXICON, lambda: None)


def test_counts_and_rejects(tmp_path: Path) -> None:
    report = check(tmp_path, a_txt="turn on\nunheard of\nthe 2nd\non\nturn on\n")
    [file] = report.files
    assert (file.sentences, file.exact, file.words, file.intents) == (2, True, 2, ())
    assert [(reject.line, reject.message.partition(" ")[0]) for reject in file.rejects] == [
        (2, "unknown"),
        (2, "unknown"),
        (3, "write"),
    ]
    assert report.usable
    assert report.pronunciations == {"on": ((2,),), "turn": ((1,),)}
    assert report.graph_bytes > 0


def test_what_sounds_the_same_comes_with_its_lines(tmp_path: Path) -> None:
    report = check(tmp_path, a_yaml=TEMPLATES)
    assert report.files[0].intents == ("A", "B")
    assert report.files[0].sentences == 9
    meanings, alike, repeated = report.ambiguities
    assert (meanings.kind, alike.kind, repeated.kind) == ("two meanings", "sound alike", "repeated")
    assert [a.harmless for a in report.ambiguities] == [False, False, True]
    assert {(said.text, said.intent, said.places[-1][1]) for said in (meanings.first, meanings.second)} == {
        ("turn on the kitchen", "A", 13),
        ("turn on the kitchen", "B", 11),
    }
    assert {(said.text, said.slots["area"]) for said in (alike.first, alike.second)} == {
        ("turn on hall", "hall"),
        ("turn on haul", "haul"),
    }
    assert repeated.first.text == repeated.second.text
    assert {repeated.first.places[1][1], repeated.second.places[1][1]} == {6, 7}
    assert not report.cut_short


def test_the_same_intent_makes_words_harmless(tmp_path: Path) -> None:
    report = check(tmp_path, a_jsgf="#JSGF V1.0;\ngrammar g;\npublic <go> = turn (to | two);\n")
    [ambiguity] = report.ambiguities
    assert ambiguity.harmless
    assert ambiguity.kind == "sound alike"
    [ambiguity] = check(tmp_path, a_txt="turn to\nturn two\n").ambiguities
    assert not ambiguity.harmless


def test_files_are_compared_with_each_other(tmp_path: Path) -> None:
    report = check(tmp_path, a_txt="turn to\n", b_txt="turn two\n")
    [ambiguity] = report.ambiguities
    assert {ambiguity.first.places, ambiguity.second.places} == {(("a.txt", 1),), (("b.txt", 1),)}


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "g.jsgf" for folder in ("one", "other")]
    for path, rule in zip(paths, ("turn on", "please\n | turn on"), strict=True):
        path.parent.mkdir()
        path.write_text(f"#JSGF V1.0;\ngrammar g;\npublic <{path.parent.name}> = {rule};\npublic <x> = [;\n")
    report = check_grammars(paths, LEXICON, lambda: None)
    assert [reject.place for reject in report.rejects] == [f"{paths[0]}:4", f"{paths[1]}:5"]
    paths[1].write_text("#JSGF V1.0;\ngrammar g;\n\npublic <other> = please | turn on;\n")
    [ambiguity] = check_grammars(paths, LEXICON, lambda: None).ambiguities
    assert [said.places for said in (ambiguity.first, ambiguity.second)] == [
        ((str(paths[0]), 3),),
        ((str(paths[1]), 4),),
    ]
    with pytest.raises(GrammarError, match=re.escape(f"{paths[0]}:4: ")):
        load_grammars(paths)


def test_places_that_are_filled_later_are_named(tmp_path: Path) -> None:
    report = check(tmp_path, g_jsgf=HOLES)
    [file] = report.files
    assert (file.sentences, file.lists, file.open_slots) == (2, ("room",), True)


def test_one_example_for_each_reason(tmp_path: Path) -> None:
    report = check(
        tmp_path,
        a_txt="".join(f"{way} {room} on\n" for way in ("turn", "on", "the") for room in ("hall", "haul")),
    )
    assert len(report.ambiguities) == 1
    assert not report.cut_short


def test_examples_are_bounded(tmp_path: Path) -> None:
    report = check(tmp_path, a_txt="".join(f"w{chr(97 + i)}{end}\n" for i in range(26) for end in "xy"))
    assert len(report.ambiguities) == MOST_EXAMPLES
    assert report.cut_short


def test_a_file_without_a_sentence_is_not_usable(tmp_path: Path) -> None:
    report = check(tmp_path, a_txt="turn on\n", b_jsgf="no grammar", c_txt="unheard\n")
    assert not report.usable
    assert [file.sentences for file in report.files] == [1, 0, 0]
    assert [str(reject).split(": ")[0] for reject in report.rejects] == ["b.jsgf:1", "c.txt:1"]
    empty = check_grammars([tmp_path / "none.txt"], LEXICON, lambda: None)
    assert not empty.usable
    assert "No such file" in empty.rejects[0].message


@pytest.mark.parametrize(
    ("body", "count"), [("turn+", math.inf), (" ".join(["[turn] on"] * 100), MOST_COUNTED + 1)]
)
def test_endless_and_uncountable(tmp_path: Path, body: str, count: float) -> None:
    report = check(tmp_path, a_jsgf=f"#JSGF V1.0;\ngrammar g;\npublic <go> = {body};\n")
    assert report.files[0].sentences == count


def test_of_a_directory_each_file_has_its_own_lines(tmp_path: Path) -> None:
    text = "language: en\nintents:\n  {}:\n    data:\n      - sentences:\n          - {}\n          - {}\n"
    (tmp_path / "a.yaml").write_text(text.format("A", "turn on", "turn flurb"))
    more = text.format("B", "'turn [off] [the] on'", "the")
    (tmp_path / "b.yaml").write_text(f"# a comment\n{more}skip_words: [flurb]")
    report = check_grammars([tmp_path], LEXICON, lambda: None)
    assert [str(reject) for reject in report.rejects] == [
        "a.yaml:7: unknown word 'flurb'",
        "b.yaml:7: unknown word 'off'",
        "b.yaml:9: unknown word 'flurb'",
    ]
    [meanings] = report.ambiguities
    assert {meanings.first.places, meanings.second.places} == {
        (("a.yaml", 5), ("a.yaml", 6)),
        (("b.yaml", 6), ("b.yaml", 7)),
    }
