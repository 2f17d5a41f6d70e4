"""One bad rule never stops the rest: what is left out, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_asr.decoder.grammar import load_grammar, load_grammars
from edge_asr.decoder.grammar.census import enumerate_sentences
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.rejects import MOST_MISTAKES, Mistakes, Reject
from edge_asr.decoder.grammar.sentences import parse_sentences
from edge_asr.decoder.grammar.templates import parse_templates, read_templates
from edge_asr.decoder.network import WordNetwork
from edge_asr.errors import GrammarError, GrammarSizeError

Parse = Callable[[str, str, list[Reject] | None], WordNetwork]
HEADER = "#JSGF V1.0;\ngrammar g;\n"


def left(parse: Parse, text: str) -> tuple[set[str], list[tuple[int | None, str]]]:
    """The sentences that are left, and the rejects."""
    rejects: list[Reject] = []
    network = parse(text, "g", rejects)
    assert all(reject.source == "g" for reject in rejects)
    return set(enumerate_sentences(network, 1000)), [(reject.line, reject.message) for reject in rejects]


@pytest.mark.parametrize(
    ("rules", "kept", "line", "message"),
    [
        ("public <a> = x (y;\npublic <b> = z;", {"z"}, 3, "expected ')'"),
        ("public <b> = z;\npublic <a> = ;\npublic <c> = w;", {"z", "w"}, 4, "expected a word"),
        ("public <a> = x\npublic <b> = z;", {"z"}, 4, "before the next rule"),
        ("<a> = x\n<c> = y;\npublic <b> = z;", {"z"}, 4, "before the next rule"),
        ('public <a> = "x;\npublic <b> = z;', {"z"}, 3, "closing quote"),
        ("public <a> = x {t;\npublic <b> = z {s};", {"z"}, 3, "a tag without }"),
        ("public <b> = z;\n/* public <a> = x;", {"z"}, 4, "comment without */"),
        ("import <other.*>;\npublic <b> = z;", {"z"}, 3, "import"),
        ("public <b> = z;\n<b> = y;", {"z"}, 4, "line 3 already"),
        ("public <b> = z | the 2nd | w;", {"z", "w"}, 3, "2nd"),
        ("public <b> = z | x {no tag}\n | w;", {"z", "w"}, 3, "expected a tag"),
        ("public <b> = z | <none> x;", {"z"}, 3, "no rule <none>"),
        ("public <b> = z [<none>];", {"z"}, 3, "no rule <none>"),
        ("public <b> = <b> x | z;", {"z"}, 3, "begin with itself"),
        ("public <b> = x <b> y | z;", {"z"}, 3, "at the end of a rule"),
        ("public <a> = <NULL>;\npublic <b> = z;", {"z"}, 3, "silence"),
        ("public <b> = z | /nan/ x;\npublic <c> = w;", {"w"}, 3, "weight"),
        ("public <b> = z | /1e99/ x;\npublic <c> = w;", {"w"}, 3, "weight of 0 or from"),
    ],
)
def test_a_bad_jsgf_rule_leaves_the_rest(rules: str, kept: set[str], line: int, message: str) -> None:
    sentences, rejects = left(parse_jsgf, HEADER + rules)
    assert sentences == kept
    assert rejects[0][0] == line
    assert message in rejects[0][1]
    with pytest.raises(GrammarError) as strict:
        parse_jsgf(HEADER + rules, "g")
    assert (strict.value.line, strict.value.message) == rejects[0]


def test_rules_that_need_a_lost_rule_say_so() -> None:
    rules = (
        "<lost> = x (;\n<inner> = a <lost>;\npublic <outer> = go <inner>;\n"
        "public <both> = stay | <inner>;\npublic <polite> = [<lost>] run;"
    )
    sentences, rejects = left(parse_jsgf, HEADER + rules)
    assert sentences == {"stay", "run"}
    assert {(4, "<lost> is left out: see line 3"), (7, "<lost> is left out: see line 3")} <= set(rejects)
    assert (4, "<inner> is left out: it needs <lost>") in rejects
    assert (5, "<outer> is left out: it needs <inner>") in rejects
    assert not any("<both>" in message for _, message in rejects)


def test_a_rule_left_without_words_is_named() -> None:
    _, rejects = left(parse_jsgf, HEADER + "public <a> = the 2nd;\npublic <b> = z;")
    assert rejects[1] == (3, "<a> is left out: nothing else of it can be said")


FRAME = """\
language: en
intents:
  A:
    data:
      - sentences:
          - fine
          - {sentence}
  B: {block}
lists:
  area:
    values:
      - kitchen
      - {value}
expansion_rules:
  rule: {rule}
  other: "go <rule>"
skip_words: [{skip}]
"""
GOOD = {
    "sentence": "good",
    "block": "{data: [{sentences: [more]}]}",
    "value": "hall",
    "rule": "good",
    "skip": "now",
}


def frame(**parts: str) -> str:
    text = FRAME
    for name, value in (GOOD | parts).items():
        text = text.replace("{" + name + "}", value)
    return text


@pytest.mark.parametrize(
    ("line", "parts", "message"),
    [
        (7, {"sentence": "'turn (on'"}, "cannot parse"),
        (7, {"sentence": "[the] light"}, "YAML"),
        (7, {"sentence": "{a: b}"}, "expected text"),
        (7, {"sentence": "the 2nd"}, "2nd"),
        (7, {"sentence": "'[a]'"}, "silence"),
        (7, {"sentence": "'{none}'"}, "no list"),
        (7, {"sentence": "'<none>'"}, "no expansion rule"),
        (7, {"sentence": "'go {0..9999999:x}'"}, "about 320,000,003 arcs, the limit is"),
        (7, {"sentence": f"'({'x' * 30_000})'"}, "30,002"),
        (7, {"sentence": "'" + "".join(f"[{c}]" for c in "abcdefghijklmnopqr") + "x'"}, "100,000 words"),
        (8, {"block": "{data: [{sentences: [more], slot: {}}]}"}, "unknown key 'slot'"),
        (8, {"block": "{dat: []}"}, "expected a key 'data'"),
        (8, {"block": "{data: [{sentences: more}]}"}, "expected a list"),
        (8, {"block": "{data: [{sentences: [more], slots: {s: [[]]}}]}"}, "slot s"),
        (13, {"value": "{in: 'a ['}", "sentence": "'to {area}'"}, "cannot parse"),
        (13, {"value": "1st", "sentence": "'to {area}'"}, "1st"),
        (13, {"value": "{out: 3}", "sentence": "'to {area}'"}, "expected a key 'in'"),
        (13, {"value": "''"}, "expected words for a value of area, got ''"),
        (13, {"value": "{in: '!?', out: x}"}, "expected words for a value of area, got '!?'"),
        (17, {"skip": "[]"}, "expected text"),
        (17, {"skip": "3rd"}, "3rd"),
    ],
)
def test_a_bad_template_leaves_the_rest(line: int, parts: dict[str, str], message: str) -> None:
    sentences, rejects = left(parse_templates, frame(**parts))
    assert "fine" in sentences
    assert ("more" in sentences) == (line != 8)
    assert ("to kitchen" in sentences) == (parts.get("sentence") == "'to {area}'")
    assert [at for at, _ in rejects] == [line]
    assert message in rejects[0][1]
    with pytest.raises(GrammarError, match=r"^g:\d+: "):
        parse_templates(frame(**parts), "g")


def test_what_needs_a_bad_expansion_rule_says_so() -> None:
    text = frame(rule="'a ('", sentence="'<other> {area}'").replace(
        "sentences: [more]", "sentences: ['<rule>', more]"
    )
    sentences, rejects = left(parse_templates, text)
    assert {"fine", "more"} <= sentences
    assert [at for at, _ in rejects] == [15, 16, 7, 8]
    assert rejects[1][1] == "it needs <rule>, which is left out: see line 15"
    assert rejects[2][1] == "it needs <other>, which is left out: see line 16"


def test_yaml_without_closing_quote_costs_that_item() -> None:
    text = frame(sentence='"turn on').replace("          - fine\n", '          - fine\n          - "ok"\n')
    sentences, rejects = left(parse_templates, text)
    assert {"fine", "ok", "more"} <= sentences
    assert [at for at, _ in rejects] == [8]


def test_an_intent_that_is_no_yaml_leaves_the_others() -> None:
    broken = "  C:\n    data: x\n    y\n  D: {data: [{sentences: [late]}]}\n"
    sentences, rejects = left(parse_templates, frame().replace("lists:\n", f"{broken}lists:\n"))
    assert {"fine", "more", "late"} <= sentences
    [(line, message)] = rejects
    assert line == 9
    assert message.startswith("what begins here is left out for a mistake in line 1")


def test_yaml_that_no_item_is_to_blame_for_is_refused_as_a_whole() -> None:
    with pytest.raises(GrammarError, match="YAML") as caught:
        parse_templates("language: en\nintents: {A: [\n", "g", [])
    assert caught.value.line == 3


def test_a_repeated_key_keeps_its_first_value() -> None:
    text = frame().replace("lists:", "  A: {data: [{sentences: [again]}]}\nlists:")
    sentences, rejects = left(parse_templates, text)
    assert "good" in sentences and "again" not in sentences
    assert rejects == [(9, "the key 'A' stands in line 3 already")]


def test_merge_keys_bring_what_is_not_there() -> None:
    text = (
        "language: en\nintents:\n  A: &a {data: [{sentences: [one]}]}\n  B: {<<: *a}\n"
        "  C: {<<: [{data: [{sentences: [two]}]}, *a]}\n  D: {data: [{sentences: [x, <<]}], <<: *a}\n"
    )
    sentences, rejects = left(parse_templates, text)
    assert sentences == {"one", "two", "x"}
    assert [line for line, _ in rejects] == [6]


def test_a_bad_line_leaves_the_others() -> None:
    sentences, rejects = left(parse_sentences, "yes\nthe 2nd\r\n\nno\x0bway\nhalf ½\n")
    assert sentences == {"yes", "no way"}
    assert [line for line, _ in rejects] == [2, 5]


@pytest.mark.parametrize("parse", [parse_jsgf, parse_templates, parse_sentences])
def test_nothing_left_is_an_error_that_names_the_first_mistake(parse: Parse) -> None:
    texts = {
        parse_jsgf: HEADER + "public <a> = 2nd;\npublic <b> = 3rd;",
        parse_templates: "language: en\nintents: {A: {data: [{sentences:\n  [2nd,\n  3rd]}]}}",
        parse_sentences: "\n\n2nd\n3rd",
    }
    rejects: list[Reject] = []
    with pytest.raises(GrammarError, match=r"g:3: nothing is left after \d mistakes; the first: write '2nd'"):
        parse(texts[parse], "g", rejects)
    assert len(rejects) >= 2


def test_one_mistake_without_which_nothing_is_left_is_that_error() -> None:
    with pytest.raises(GrammarError, match="g:1: write '2nd' in words"):
        parse_sentences("2nd\n", "g", [])


def test_too_many_mistakes_end_it() -> None:
    with pytest.raises(GrammarError, match="more than 1,000 mistakes: is it a grammar of another kind"):
        parse_sentences("".join(f"{'x' * n} ½\n" for n in range(MOST_MISTAKES + 1)), "g", [])


def test_a_mistake_is_noted_once() -> None:
    rejects: list[Reject] = []
    mistakes = Mistakes(rejects)
    for _ in range(3):
        with mistakes.spare():
            raise GrammarError("odd", source="g", line=3)
    assert rejects == [Reject(source="g", line=3, message="odd")]
    assert str(rejects[0]) == "g:3: odd"
    assert str(Reject(source="g", line=None, message="odd")) == "g: odd"


def test_what_is_too_large_is_not_passed_over() -> None:
    with pytest.raises(GrammarSizeError), Mistakes([]).spare():
        raise GrammarSizeError("large")


def test_a_directory_lacks_only_the_bad_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("language: en\nintents: {A: {data: [{sentences: ['go {place}']}]}}\n")
    (tmp_path / "b.yaml").write_text("language: [\n")
    (tmp_path / "c.yaml").write_text("language: de\n")
    (tmp_path / "d.yaml").write_text("language: en\nlists:\n  place: {values: [home, 1st]}\n")
    (tmp_path / "e.yaml").write_text("language: en\nlists:\n  place: {values: [work]}\n")
    rejects: list[Reject] = []
    assert enumerate_sentences(read_templates(tmp_path, rejects), 9) == ["go home"]
    assert [(reject.source, reject.line) for reject in rejects] == [
        ("b.yaml", 2),
        ("c.yaml", None),
        ("e.yaml", None),
        ("d.yaml", 3),
    ]


def test_of_several_files_the_good_ones_are_used(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.jsgf"
    good.write_text("yes\nthe 2nd\n")
    bad.write_text("no grammar")
    rejects: list[Reject] = []
    [network] = load_grammars([bad, good], rejects)
    assert enumerate_sentences(network, 9) == ["yes"]
    assert [reject.place for reject in rejects] == ["good.txt:2", "bad.jsgf:1"]
    with pytest.raises(GrammarError, match=r"bad\.jsgf:1"):
        load_grammars([bad], [])
    with pytest.raises(GrammarError, match=r"bad\.jsgf:1"):
        load_grammars([bad, good])


def test_without_a_list_nothing_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "g.txt"
    file.write_text("yes\nthe 2nd\n")
    with pytest.raises(GrammarError, match=r"g\.txt:2"):
        load_grammar(file)
