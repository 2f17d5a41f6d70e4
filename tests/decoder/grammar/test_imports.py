"""Built-in slots, open slots and run-time lists as JSGF and sentence templates refer to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_asr.decoder.grammar.builtin import known_builtins
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.match import match
from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.templates import parse_templates
from edge_asr.decoder.grammar.word_list import list_network, read_entries
from edge_asr.decoder.network import ANYTHING, Placeholder, SlotClose, WordNetwork
from edge_asr.errors import GrammarError
from edge_asr.understand.intent import Interpretation, interpret

HEADER = "#JSGF V1.0;\ngrammar test;\n"


def understood(network: WordNetwork, said: str) -> Interpretation | None:
    path = match(network, said.split())
    assert path is not None, said
    return interpret(path)


def slots(network: WordNetwork, said: str) -> dict[str, object]:
    found = understood(network, said)
    assert found is not None
    return dict(found.slots)


def templates(sentence: str, lists: str = "{}", more: str = "") -> WordNetwork:
    return parse_templates(
        f"language: en\nintents: {{Go: {{data: [{{sentences: ['{sentence}']{more}}}]}}}}\nlists: {lists}\n"
    )


@pytest.mark.parametrize(
    ("rules", "said", "expected"),
    [
        ("import <edge_asr.time>;public <a> = at <time>{t};", "at half past six", {"t": "06:30"}),
        ("import <edge_asr.*>;public <a> = at <time>{t};", "at noon", {"t": "12:00"}),
        ("public <a> = at <edge_asr.time>{t};", "at noon", {"t": "12:00"}),
        ("public <a> = at <edge_asr.time>{t:x};", "at noon", {"t": "x"}),
        ("public <a> = at (<edge_asr.time>){t};", "at noon", {"t": "12:00"}),
        ("public <a> = <when>{t}; <when> = <edge_asr.time>;", "noon", {"t": "12:00"}),
        ("public <a> = (at <edge_asr.time>){t};", "at noon", {"t": "at noon"}),
        ("public <a> = at <edge_asr.time>;", "at noon", {}),
        ("public <a> = <edge_asr.number>{n} or <edge_asr.number>{n};", "one or two", {"n": [1, 2]}),
        ("public <a> = [<edge_asr.number>{n}] go;", "five go", {"n": 5}),
        ("public <a> = note <edge_asr.anything>{t};", "note buy some milk", {"t": "buy some milk"}),
        ("public <a> = note <edge_asr.anything>{t} now;", "note now now now", {"t": "now now"}),
    ],
)
def test_jsgf_slots(rules: str, said: str, expected: dict[str, object]) -> None:
    assert slots(parse_jsgf(HEADER + rules), said) == expected


def test_rule_of_the_file_goes_before_an_imported_one() -> None:
    network = parse_jsgf(HEADER + "import <edge_asr.*>;\npublic <a> = <date>{d}; <date> = whenever;")
    assert slots(network, "whenever") == {"d": "whenever"}
    assert match(network, ["tomorrow"]) is None


def test_imported_words_stand_in_the_line_that_uses_them() -> None:
    network = parse_jsgf(HEADER + "import <edge_asr.ordinal>;\npublic <a> =\n <ordinal>;")
    assert set(dict(network.vocabulary()).values()) == {5}


@pytest.mark.parametrize(
    ("line", "rules", "problem"),
    [
        (3, "import <edge_asr.tim>;\npublic <a> = b;", "there is no <edge_asr.tim>"),
        (3, "import <radio.station>;\npublic <a> = b;", "another file"),
        (3, "import <time>;\npublic <a> = b;", "another file"),
        (3, "import edge_asr.time;\npublic <a> = b;", "what is imported"),
        (4, "import <edge_asr.time>\npublic <a> = b;", "';'"),
        (4, "public <a> = b;\nimport <edge_asr.time>;", "before the first rule"),
        (3, "public <a> = <edge_asr.tim>;", "there is no <edge_asr.tim>"),
        (3, "public <a> = <time>;", "no rule <time>"),
        (3, "public <a> = <radio.station>;", "another grammar"),
    ],
)
def test_mistake_in_an_import_names_its_line(line: int, rules: str, problem: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(problem)) as caught:
        parse_jsgf(HEADER + rules, "x.jsgf")
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("sentence", "lists", "said", "expected"),
    [
        ("at {edge_asr.time:t}", "{}", "at half past six", {"t": "06:30"}),
        ("at {edge_asr.time}", "{}", "at half past six", {"time": "06:30"}),
        ("at {when}", "{when: {builtin: time}}", "at half past six", {"when": "06:30"}),
        ("at {when:t} now", "{when: {builtin: time}}", "at noon now", {"t": "12:00"}),
        ("at {@when}", "{when: {builtin: time}}", "at noon", {}),
        ("{edge_asr.number:n}[%| percent]", "{}", "five percent", {"n": 5}),
        ("to {edge_asr.signed_decimal:n}", "{}", "to minus two point five", {"n": -2.5}),
        ("note {text}", "{text: {wildcard: true}}", "note buy some milk", {"text": "buy some milk"}),
        ("add {item:name} to my list", "{item: {wildcard: true}}", "add milk to my list", {"name": "milk"}),
        ("note {edge_asr.anything:t}", "{}", "note a b", {"t": "a b"}),
    ],
)
def test_template_slots(sentence: str, lists: str, said: str, expected: dict[str, object]) -> None:
    assert slots(templates(sentence, lists), said) == expected


def test_built_in_stands_among_optional_words_and_in_permutations() -> None:
    network = templates("[wake me] (at {edge_asr.time:t};[on {edge_asr.date:d}]) please")
    expected = {"t": "07:00", "d": "monday"}
    assert slots(network, "on monday at seven please") == expected
    assert slots(network, "wake me at seven on monday please") == expected
    assert slots(network, "at seven please") == {"t": "07:00"}


CONTACTS = {"ann smith": "ann@home", "bob": 7}
CALL_JSGF = HEADER + "import <lists.contact>;\npublic <Go> = call <contact>{who} | <lists.contact> rings;"
CALL_YAML = """\
language: en
intents: {Go: {data: [{sentences: ["call {contact:who}", "{@contact} rings"]}]}}
lists: {contact: {runtime: true}}
"""


@pytest.mark.parametrize("network", [parse_jsgf(CALL_JSGF), parse_templates(CALL_YAML)])
def test_run_time_list_has_its_values(network: WordNetwork) -> None:
    who = Placeholder("contact", "who")
    assert set(network.placeholders()) == {who, Placeholder("contact")}
    assert match(network, ["call", "bob"]) is None
    assert dict(network.vocabulary()).keys() == {"call", "rings"}
    filled = network.filled({place: list_network(place, CONTACTS) for place in network.placeholders()})
    assert slots(filled, "call ann smith") == {"who": "ann@home"}
    assert slots(filled, "call bob") == {"who": 7}
    assert slots(filled, "bob rings") == {}


def test_tag_with_a_value_of_its_own_does_not_ask_the_list() -> None:
    network = parse_jsgf(HEADER + "public <a> = <lists.contact>{who:somebody};")
    assert set(network.placeholders()) == {Placeholder("contact")}


def test_entries_without_values_are_their_own() -> None:
    place = Placeholder("room", "r")
    network = parse_jsgf(HEADER + "public <a> = <lists.room>{r};")
    network = network.filled({place: list_network(place, ["Room 2", "hall", "hall"])})
    assert slots(network, "room two") == {"r": "Room 2"}
    assert slots(network, "hall") == {"r": "hall"}


def test_entries_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "contacts.txt"
    file.write_text("# people\nAnn Smith\tann@home\n\n  Bob \nZoë\t\n", encoding="utf-8")
    assert read_entries(file) == {"Ann Smith": "ann@home", "Bob": "Bob", "Zoë": "Zoë"}
    with pytest.raises(GrammarError, match="cannot read"):
        read_entries(tmp_path / "none.txt")


def test_mistakes_in_a_file_of_entries_are_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "contacts.txt"
    file.write_text("ann\t1\n\n\tnobody\nann\t2\nann\t1\nthe 2nd\nbob\n", encoding="utf-8")
    with pytest.raises(GrammarError, match=r"contacts\.txt:3: expected words before the tab"):
        read_entries(file)
    rejects: list[Reject] = []
    mistakes = Mistakes(rejects)
    entries = read_entries(file, mistakes)
    assert entries == {"ann": "1", "the 2nd": "the 2nd", "bob": "bob"}
    network = list_network(Placeholder("contact", "who"), entries, mistakes)
    assert [reject.place for reject in rejects] == [f"contacts.txt:{line}" for line in (3, 4, 6)]
    assert "the value '1' in line 1, now '2'" in rejects[1].message
    assert list(network.vocabulary()) == [("ann", 1), ("bob", 7)]
    closing = [arc.mark for arc in network.arcs if arc.mark]
    assert closing == [SlotClose("who", "1"), SlotClose("who", "bob")]
    with pytest.raises(GrammarError, match=r"^contacts\.txt:6: .*2nd"):
        list_network(Placeholder("contact"), entries)


def test_entry_that_cannot_be_said_is_named_by_its_place() -> None:
    with pytest.raises(GrammarError, match=r"^contact:2: .*2nd"):
        list_network(Placeholder("contact"), ["bob", "the 2nd"])


def test_open_slot_is_one_or_more_words() -> None:
    network = templates("note {text}", "{text: {wildcard: true}}")
    assert set(network.placeholders()) == {ANYTHING}
    assert match(network, ["note"]) is None
    assert match(network, ["other", "things"]) is None


def test_weight_of_a_block_is_relative_to_the_heaviest() -> None:
    text = """\
language: en
intents:
  A: {data: [{sentences: [x], weight: 4}]}
  B: {data: [{sentences: [y], slots: {s: 1}}, {sentences: [z], weight: 0.5}]}
"""
    network = parse_templates(text)
    weights = {arc.weight for arc in network.arcs}
    assert sorted(weights) == pytest.approx([-2.0794415, -1.3862944, 0.0])
    both = text.replace("[x]", "[same]").replace("[y]", "[same]")
    assert understood(parse_templates(both), "same") == Interpretation("A", {})


@pytest.mark.parametrize("name", known_builtins())
def test_every_built_in_can_be_imported(name: str) -> None:
    network = parse_jsgf(HEADER + f"import <edge_asr.{name}>;\npublic <a> = <{name}>{{s}};")
    assert network.arcs


def test_import_of_nothing_costs_the_rules_that_need_it() -> None:
    rejects: list[Reject] = []
    text = """#JSGF V1.0; grammar g;
import <edge_asr.nothing>;
import <lists.room>;
public <A> = wait <nothing>{x};
public <B> = go to <room>{where};
"""
    network = parse_jsgf(text, "g", rejects)
    assert network.placeholders().keys() == {"{room:where}"}
    assert [reject.place for reject in rejects] == ["g:2", "g:4", "g:4"]
    with pytest.raises(GrammarError, match=r"g:2: there is no <edge_asr.nothing>"):
        parse_jsgf(text, "g")
