from __future__ import annotations

import json
import re
from importlib.resources import files
from itertools import islice
from pathlib import Path

import pytest
import yaml
from hassil import Intents, is_match, parse_sentence, recognize_all, sample_intents
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.decoder.grammar.census import (
    count_sentences,
    enumerate_paths,
    enumerate_sentences,
    random_sentences,
    sentence,
)
from edge_asr.decoder.grammar.match import match
from edge_asr.decoder.grammar.templates import parse_templates, read_templates
from edge_asr.decoder.grammar.words import phrase
from edge_asr.decoder.network import SlotClose, SlotOpen, WordNetwork
from edge_asr.errors import GrammarError
from edge_asr.understand.intent import Interpretation, interpret

LISTS = {
    "area": {"values": ["kitchen", {"in": "living[ ]room", "out": "living_room"}]},
    "colour": {"values": ["red", {"in": "(blue|azure)", "out": "blue"}]},
    "level": {"range": {"from": 98, "to": 106, "digits": False}},
    "half": {"range": {"from": 5, "to": 7, "fractions": "halves", "digits": False}},
    "down": {"range": {"from": 1, "to": 3, "multiplier": -1, "digits": False}},
}
RULES = {"the": "(the|my)", "lights": "[<the> ](light|lamp)[s]", "turn": "(turn|switch)"}


def grammar(*sentences: str, **more: object) -> str:
    block = {"sentences": list(sentences), **more}
    return yaml.safe_dump(
        {
            "language": "en",
            "intents": {"Test": {"data": [block]}},
            "lists": LISTS,
            "expansion_rules": RULES,
        },
        allow_unicode=True,
    )


def ours(text: str) -> set[str]:
    return set(enumerate_sentences(parse_templates(text), 100_000))


def understood(text: str, said: str) -> Interpretation | None:
    path = match(parse_templates(text), said.split())
    assert path is not None, said
    return interpret(path)


def sampled(text: str) -> set[str]:
    """What hassil says that the grammar accepts, in our spelling."""
    samples = sample_intents(Intents.from_dict(yaml.safe_load(text)), language="en")
    return {" ".join(word for ways in phrase(said) for word in ways[0]) for _, said in samples}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("on[ the] light[s]", {"on light", "on the light", "on lights", "on the lights"}),
        ("[the] light", {"the light", "light"}),
        ("light [please]", {"light please", "light"}),
        ("(light|lamp)s on", {"lights on", "lamps on"}),
        ("[re]start", {"restart", "start"}),
        ("(un|re|)lock[ed|s]", {f"{a}lock{b}" for a in ("un", "re", "") for b in ("ed", "s", "")}),
        ("a[b[c]]d", {"ad", "abd", "abcd"}),
        ("a[ b]c", {"ac", "a bc"}),
        ("a[b ]c", {"ac", "ab c"}),
        ("two( |-)way", {"two way"}),
        ("(a;b;c)", {"a b c", "a c b", "b a c", "b c a", "c a b", "c b a"}),
        ("go (fast;[far]) now", {"go fast far now", "go far fast now", "go fast now"}),
        ("the {colour}ish light", {"the redish light", "the blueish light", "the azureish light"}),
        ("<turn> <lights>", {f"{t} {d}{x}{s}" for t in ("turn", "switch") for d in ("", "the ", "my ")
                             for x in ("light", "lamp") for s in ("", "s")}),
        ("Hey, TURN it on!", {"hey turn it on"}),
        ("say \\[this\\]", {"say this"}),
        ("room 2", {"room two"}),
        ("go {1..3,2:n} up", {"go one up", "go three up"}),
        ("{area}", {"kitchen", "livingroom", "living room"}),
    ],
)  # fmt: skip
def test_template_accepts_exactly(template: str, expected: set[str]) -> None:
    assert ours(grammar(template)) == expected


@pytest.mark.parametrize(
    "template",
    [
        "<turn> on <lights> [in [the] {area}]",
        "(<turn> on;<lights>) [now]",
        "[all [[of] the]] (light|lamp)[s] {colour}[ish]",
        "[please ](open|close)[ (up|down)] the door[s]",
        "make it {colour} (now;in {area}) please",
        "[[very] very] un[der]do[ing|ne]",
    ],
)
def test_sentences_are_those_that_hassil_samples(template: str) -> None:
    text = grammar(template)
    assert ours(text) == sampled(text)


@pytest.mark.parametrize(
    "template", ["to {level}[%| percent]", "{half} degrees", "by {down}", "({level};{area}) on"]
)
def test_numbers_include_all_that_hassil_samples(template: str) -> None:
    text = grammar(template)
    extra = ours(text) - sampled(text)
    assert sampled(text) <= ours(text)
    assert all(re.search(r"\b(and|a hundred)\b", said) for said in extra)


@st.composite
def templates(draw: st.DrawFn) -> str:
    text = st.sampled_from(["a", "light", "s", "re", "o'clock", "x-y", " "])

    def group(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        several = st.lists(inner, min_size=1, max_size=3)
        chain = st.tuples(st.sampled_from(["", " "]), several).map(lambda p: p[0].join(p[1]))
        choice = st.lists(chain, min_size=1, max_size=3).map("|".join)
        return st.one_of(
            chain,
            choice.map("({})".format),
            choice.map("[{}]".format),
            st.lists(inner, min_size=2, max_size=3).map(lambda items: f" ({';'.join(items)}) "),
        )

    return "go" + draw(st.sampled_from(["", " "])) + draw(st.recursive(text, group, max_leaves=7))


@settings(max_examples=150)
@given(templates())
def test_any_template_equals_hassil(template: str) -> None:
    text = grammar(template)
    mine = ours(text)
    assert mine == sampled(text)
    parsed = parse_sentence(template)
    for said in sorted(mine)[:5]:
        # What was written with a hyphen is matched with one; we speak it as two words.
        if "-" not in template:
            assert is_match(said, parsed), said


@settings(max_examples=150)
@given(st.text(alphabet="ab ()[]{}<>|;\\:.0-'", max_size=16))
def test_any_text_parses_or_is_refused_with_its_line(template: str) -> None:
    try:
        network = parse_templates(grammar(template))
    except GrammarError as error:
        assert error.line is not None
        return
    for path in islice(enumerate_paths(network), 20):
        assert sentence(path)


def test_slots() -> None:
    text = grammar(
        "<turn> <lights> in {area} {colour:tint}", "dim to {level}", "by {half}", "down {down}", "{@area} off"
    )
    assert understood(text, "turn my lights in living room azure") == Interpretation(
        "Test", {"area": "living_room", "tint": "blue"}
    )
    assert understood(text, "dim to one hundred and five") == Interpretation("Test", {"level": 105})
    assert understood(text, "by five point five") == Interpretation("Test", {"half": 5.5})
    assert understood(text, "down two") == Interpretation("Test", {"down": -2})
    assert understood(text, "kitchen off") == Interpretation("Test", {})


def test_template_value_without_out_takes_what_was_said() -> None:
    text = grammar("go {place} now", lists={"place": {"values": ["(up|down)stairs", "out"]}})
    assert understood(text, "go upstairs now") == Interpretation("Test", {"place": "upstairs"})
    assert understood(text, "go out now") == Interpretation("Test", {"place": "out"})


def test_marks_within_a_word_move_to_its_edges() -> None:
    path = match(parse_templates(grammar("un{colour}ish light")), ["unredish", "light"])
    assert path is not None
    (word, before), (_, after), _ = path
    assert word == "unredish"
    assert SlotOpen("colour") in before
    assert after == (SlotClose("colour", "red"),)


def test_fixed_slots_give_way_to_spoken_ones() -> None:
    text = grammar("on [{area}]", slots={"area": "hall", "domain": ["light", "fan"], "level": 3})
    assert understood(text, "on") == Interpretation(
        "Test", {"area": "hall", "domain": ["light", "fan"], "level": 3}
    )
    assert understood(text, "on kitchen") == Interpretation(
        "Test", {"area": "kitchen", "domain": ["light", "fan"], "level": 3}
    )


def test_context_chooses_values_and_fills_slots() -> None:
    named = {
        "name": {
            "values": [
                {"in": "desk lamp", "out": "light.desk", "context": {"domain": "light", "floor": "first"}},
                {"in": "front door", "out": "lock.door", "context": {"domain": "lock"}},
                "thing",
            ]
        }
    }
    text = grammar("use {name}", lists=named, requires_context={"domain": "light", "floor": {"slot": True}})
    assert ours(text) == {"use desk lamp", "use thing"}
    assert understood(text, "use desk lamp") == Interpretation(
        "Test", {"name": "light.desk", "floor": "first"}
    )
    text = grammar("use {name}", lists=named, excludes_context={"domain": ["light"]})
    assert ours(text) == {"use front door", "use thing"}


def test_block_sees_its_own_rules_and_lists_first() -> None:
    text = grammar("<turn> {area}", expansion_rules={"turn": "spin"}, lists={"area": {"values": ["attic"]}})
    assert ours(text) == {"spin attic"}


def test_skip_words_stand_at_either_end_at_most_twice() -> None:
    text = grammar("stop it") + "skip_words: [please, could you]\n"
    said = ours(text)
    assert {"stop it", "please stop it", "could you please stop it please", "stop it please"} <= said
    assert "stop please it" not in said
    assert len(said) == 7 * 7
    assert understood(text, "could you stop it please") == Interpretation("Test", {})


def test_repeated_intents_and_yaml_forms() -> None:
    text = """\
language: en
intents:
  A:
    data:
      - sentences:
          - >-
            turn
            it on
          - |
            turn it off
      - sentences: &more ["spin"]
  B:
    data: [{sentences: *more, slots: {fast: yes}}]
"""
    assert ours(text) == {"turn it on", "turn it off", "spin"}
    assert understood(text, "turn it off") == Interpretation("A", {})


@pytest.mark.parametrize(
    ("line", "text", "problem"),
    [
        (4, "language: en\nintents:\n  A: [\n", "YAML"),
        (2, "language: en\n\tintents: {}\n", "YAML"),
        (1, "a: 1\n", "unknown key 'a'"),
        (1, "intents: {}\n", "language"),
        (1, "- a\n", "expected a mapping"),
        (3, "language: en\nintents:\n  A: {}\n", "'data'"),
        (4, "language: en\nintents:\n  A:\n    data: x\n", "expected a list for data"),
        (5, "language: en\nintents:\n  A:\n    data:\n      - sentence: [a]\n", "unknown key 'sentence'"),
        (5, "language: en\nintents:\n  A:\n    data:\n      - slots: {a: 1}\n", "'sentences'"),
        (6, "language: en\nintents:\n  A:\n    data:\n      - sentences:\n        - on\n", "quotes"),
        (6, "language: en\nintents:\n  A:\n    data:\n      - sentences:\n        - a (b\n", "group"),
        (5, "language: en\nintents:\n  A:\n    data:\n    - {sentences: [a], slots: {x: {}}}\n", "slot x"),
        (4, "language: en\nintents:\n  A: {data: []}\n  A: {data: []}\n", "line 3 already"),
        (3, "language: en\nlists:\n  x: {}\n", "values, range or"),
        (5, "language: en\nlists:\n  x:\n    values:\n    - out: a\n", "'in'"),
        (5, "language: en\nlists:\n  x:\n    values:\n    - off\n", "quotes"),
        (4, "language: en\nlists:\n  x:\n    range: {from: 5, to: 1}\n", "from <= to"),
        (4, "language: en\nlists:\n  x:\n    range: {from: 5}\n", "both from and to"),
        (4, "language: en\nlists:\n  x:\n    range: {from: a, to: 1}\n", "whole number"),
        (3, "language: en\nlists:\n  x: {range: {from: 0, to: 1, fractions: fifths}}\n", "halves or tenths"),
        (3, "language: en\nlists:\n  x: {builtin: tim}\n", "no built-in 'tim'"),
        (5, "language: en\nintents:\n  A:\n    data:\n    - {sentences: [a], weight: 0}\n", "above 0"),
        (5, "language: en\nintents:\n  A:\n    data:\n    - {sentences: [a], weight: x}\n", "above 0"),
    ],
)  # fmt: skip
def test_mistake_in_the_frame_names_its_line(line: int, text: str, problem: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(problem)) as caught:
        parse_templates(text, "home.yaml")
    assert (caught.value.source, caught.value.line) == ("home.yaml", line)


FRAME = """\
language: en
intents:
  A:
    data:
      - sentences:
          - fine
          - {sentence}
lists:
  wild:
    wildcard: true
  area:
    values:
      - kitchen
      - in: {value}
        out: x
expansion_rules:
  rule: {rule}
  other: "<rule> a"
"""


@pytest.mark.parametrize(
    ("line", "parts", "problem"),
    [
        (7, {"sentence": "'turn on {edge_asr.tim}'"}, "no built-in 'edge_asr.tim'"),
        (7, {"sentence": "'turn on {are}'"}, "no list 'are'"),
        (7, {"sentence": "'turn on <are>'"}, "no expansion rule <are>"),
        (7, {"sentence": "'turn on ('"}, "cannot parse"),
        (7, {"sentence": "'turn on )'"}, "cannot parse"),
        (7, {"sentence": "'turn on {}'"}, "cannot parse"),
        (7, {"sentence": "''"}, "cannot parse"),
        (7, {"sentence": "'[a]'"}, "silence"),
        (7, {"sentence": "'!'"}, "silence"),
        (7, {"sentence": "'the 2nd'"}, "2nd"),
        (7, {"sentence": "'{9..1:x}'"}, "rises"),
        (7, {"sentence": "'go {0..9999999:x}'"}, "arcs"),
        (7, {"sentence": "'go {999999..1000001:x}'"}, "999,999"),
        (7, {"sentence": "'" + "(" * 900 + "'"}, "nested"),
        (14, {"sentence": "'{area}'", "value": "'<nothing>'"}, "no expansion rule <nothing>"),
        (14, {"sentence": "'{area}'", "value": "'a ['"}, "cannot parse"),
        (14, {"sentence": "'{area}'", "value": "'1st'"}, "1st"),
        (14, {"sentence": "'{area}'", "value": "'{area} two'"}, "{area} -> {area}"),
        (17, {"sentence": "'<rule>'", "rule": "'a {wilt}'"}, "no list 'wilt'"),
        (18, {"sentence": "'<rule>'", "rule": "'a <other>'"}, "<rule> -> <other> -> <rule>"),
    ],
)
def test_mistake_in_a_template_names_its_line(line: int, parts: dict[str, str], problem: str) -> None:
    text = FRAME
    for name, value in ({"sentence": "fine", "value": "fine", "rule": "fine"} | parts).items():
        text = text.replace("{" + name + "}", value)
    with pytest.raises(GrammarError, match=re.escape(problem)) as caught:
        parse_templates(text, "home.yaml")
    assert str(caught.value).startswith(f"home.yaml:{line}: ")


def test_words_know_the_line_of_their_text() -> None:
    text = FRAME.replace("{sentence}", "'<rule> {area}'").replace("{value}", "attic").replace("{rule}", "go")
    assert dict(parse_templates(text).vocabulary()) == {"fine": 6, "kitchen": 13, "attic": 14, "go": 17}


def test_no_sentence_is_refused() -> None:
    with pytest.raises(GrammarError, match="at least one sentence"):
        parse_templates("language: en\nintents: {}\n")


def test_numbers_of_another_language_are_refused() -> None:
    with pytest.raises(GrammarError, match="English"):
        parse_templates(grammar("gehe {level}").replace("language: en", "language: de"))
    assert ours(grammar("gehe {colour}").replace("language: en", "language: de"))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("sentences", "rules"),
    [
        # 2^60 sentences out of sixty lines: refused before a single arc is made.
        (["go <r0>"], {f"r{i}": f"<r{i + 1}> <r{i + 1}>" for i in range(60)} | {"r60": "a"}),
        (["(" + ";".join(f"w{chr(97 + i)}" for i in range(24)) + ")"], {}),
        # Every way through this word is a different word.
        (["".join(f"[{a}{b}]" for a in "bcdfg" for b in "aeiou") + "x"], {}),
    ],
)
def test_what_expands_too_far_is_refused(sentences: list[str], rules: dict[str, str]) -> None:
    with pytest.raises(GrammarError, match=r"arcs|100,000 words"):
        parse_templates(grammar(*sentences, expansion_rules=rules))


def test_chain_of_rules_too_long_for_the_stack_is_refused() -> None:
    rules = {f"r{i}": f"<r{i + 1}>" for i in range(2000)} | {"r2000": "a"}
    with pytest.raises(GrammarError, match="too long a row"):
        parse_templates(grammar("go <r0>", expansion_rules=rules))


def test_aliases_cannot_multiply() -> None:
    """A list of lists of lists ... that YAML's aliases would blow up to 10^12 values."""
    text = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    with pytest.raises(GrammarError, match=r"[\d,]+ values or more with all aliases, the limit is 1,000,000"):
        parse_templates(text)
    with pytest.raises(GrammarError, match="within itself"):
        parse_templates("language: en\nintents: &x {A: *x}\n")


def test_directory_is_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("language: en\nintents:\n  A: {data: [{sentences: ['go {place}']}]}\n")
    (tmp_path / "b.yml").write_text(
        "language: en\nintents:\n  A: {data: [{sentences: [halt]}]}\n"
        "lists:\n  place: {values: [home]}\nskip_words: [now]\n"
    )
    (tmp_path / "notes.md").write_text("no grammar")
    network = read_templates(tmp_path)
    assert {"go home", "halt", "halt now"} <= set(enumerate_sentences(network, 100))
    (tmp_path / "c.yaml").write_text("language: en\nlists:\n  place: {values: [work]}\n")
    with pytest.raises(GrammarError, match="'place' already") as caught:
        read_templates(tmp_path)
    assert caught.value.source == "c.yaml"
    (tmp_path / "c.yaml").write_text("language: en\nintents:\n  B:\n    data: [{sentences: ['{none}']}]\n")
    with pytest.raises(GrammarError, match=r"c\.yaml:4: "):
        read_templates(tmp_path)
    (tmp_path / "c.yaml").write_text("language: de\n")
    with pytest.raises(GrammarError, match="language"):
        read_templates(tmp_path)


def test_directory_without_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GrammarError, match="found none"):
        read_templates(tmp_path)


@pytest.fixture(scope="module")
def published() -> str:
    """Home Assistant's own English sentences, those with wildcards left out, with a small home put in."""
    pytest.importorskip("home_assistant_intents", reason="needs the package home-assistant-intents")
    source = files("home_assistant_intents") / "data" / "en.json"
    data = json.loads(source.read_text(encoding="utf-8"))
    data["lists"] |= {
        "area": {"values": ["kitchen", "living room"]},
        "floor": {"values": ["first", "ground"]},
        "name": {"values": ["bedroom lamp", "front door"]},
    }
    wild = "|".join(name for name, entry in data["lists"].items() if entry.get("wildcard"))
    for name, intent in list(data["intents"].items()):
        for block in intent["data"]:
            block.pop("requires_context", None)  # what hassil would need from outside
            block["sentences"] = [s for s in block["sentences"] if not re.search(rf"{{({wild})[:}}]", s)]
        if not any(block["sentences"] for block in intent["data"]):
            del data["intents"][name]
    # The timers' hours x minutes x seconds are most of the size and say nothing new.
    data["intents"] = {name: data["intents"][name] for name in data["intents"] if "Timer" not in name}
    return yaml.safe_dump(data, allow_unicode=True, width=10_000)


def test_published_sentences(published: str) -> None:
    network = parse_templates(published, "en.yaml")
    assert isinstance(network, WordNetwork)
    assert count_sentences(network) > 100_000
    intents = Intents.from_dict(yaml.safe_load(published))
    own = r"(hundred|thousand) and|\ba (hundred|thousand)"  # numbers that hassil spells in one way only
    unmatched = [
        said
        for said in random_sentences(network, 60, seed=1)
        if not re.search(own, said) and not any(True for _ in recognize_all(said, intents, language="en"))
    ]
    assert unmatched == []


def test_events_of_a_template_can_be_copied_and_written_as_json(repository: Path) -> None:
    """Names that remember their line once reached the events, where ``to_dict`` failed on them."""
    network = read_templates(repository / "edge_asr" / "samples" / "home.yaml")
    for arc in network.arcs:
        values = [] if arc.mark is None else [getattr(arc.mark, name) for name in type(arc.mark).__slots__]
        assert {type(value) for value in [arc.word, *values]} <= {str, int, float, type(None)}
