from __future__ import annotations

import functools
import math
import re
from graphlib import TopologicalSorter
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.decoder.grammar.census import (
    count_sentences,
    enumerate_sentences,
    random_sentences,
)
from edge_asr.decoder.grammar.jsgf import parse_jsgf, read_jsgf
from edge_asr.decoder.grammar.jsgf_parser import parse
from edge_asr.decoder.grammar.jsgf_tree import (
    Chain,
    Choice,
    Expansion,
    Null,
    Reference,
    Repeat,
    Tagged,
    Token,
    Void,
    optional,
)
from edge_asr.decoder.grammar.match import match
from edge_asr.errors import GrammarError
from edge_asr.understand.intent import Interpretation, interpret

HEADER = "#JSGF V1.0;\ngrammar test;\n"


def ours(rules: str, limit: int = 1000) -> set[str]:
    return set(enumerate_sentences(parse_jsgf(HEADER + rules), limit))


def understood(rules: str, said: str) -> Interpretation | None:
    path = match(parse_jsgf(HEADER + rules), said.split())
    assert path is not None, said
    return interpret(path)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("public <a> = turn it on;", {"turn it on"}),
        ("public <a> = on | off | stand by;", {"on", "off", "stand by"}),
        ("public <a> = a (b | c) d;", {"a b d", "a c d"}),
        ("public <a> = a [b] c;", {"a c", "a b c"}),
        ("public <a> = [a | b] c;", {"c", "a c", "b c"}),
        ("public <a> = <b> <c>; <b> = x | y; <c> = z;", {"x z", "y z"}),
        ("public <a> = one; public <b> = two;", {"one", "two"}),
        ("public <a> = x <b>; public <b> = y;", {"x y", "y"}),
        ('public <a> = "los angeles" county;', {"los angeles county"}),
        ('public <a> = "say \\"hi\\" now";', {"say hi now"}),
        ("public <a> = a <NULL> b;", {"a b"}),
        ("public <a> = a | b <VOID> c | <VOID>;", {"a"}),
        ("public <a> = a | <b>; <b> = x <VOID>;", {"a"}),
        ("public <a> = /0/ a | /1/ b;", {"b"}),
        ("public <a> = Turn ON; // comment\n/* public <b> = not; */", {"turn on"}),
        ("/** doc */ public <a> = a // b\n c;", {"a c"}),
        ("public <a> = gate 12;", {"gate twelve"}),
        ("public <a> = it's o'clock;", {"it's o'clock"}),
        ("public <a> = [a] [b];", {"a", "b", "a b"}),
        ("public <a> = <test.b> <b>; <b> = x;", {"x x"}),
        ("public <a-b+c> = x;", {"x"}),
        ("public < a > = x;", {"x"}),
        ("public<a>=(x)(y)|z;", {"x y", "z"}),
        ("public <a> = (((x)));", {"x"}),
        ("public <a> = a b | c d | e;", {"a b", "c d", "e"}),
    ],
)
def test_grammar_accepts_exactly(rules: str, expected: set[str]) -> None:
    assert ours(rules) == expected


def test_sequence_binds_closer_than_alternatives() -> None:
    assert ours("public <a> = x a | b y;") == {"x a", "b y"}
    assert ours("public <a> = x (a | b) y;") == {"x a y", "x b y"}


@pytest.mark.parametrize(
    ("rules", "first"),
    [
        ("public <a> = x*;", ["x", "x x", "x x x"]),
        ("public <a> = go x*;", ["go", "go x", "go x x"]),
        ("public <a> = x+;", ["x", "x x", "x x x"]),
        ("public <a> = (x y)+;", ["x y", "x y x y"]),
        ("public <a> = ([x])*;", ["x", "x x", "x x x"]),
        ("public <a> = (x*)*;", ["x", "x x", "x x x"]),
        ("public <a> = ([x]+)* z;", ["z", "x z", "x x z"]),
        ("public <a> = ([x] [y])+;", ["x", "y", "x x", "x y", "y x", "y y"]),
        ("public <a> = (x | <NULL>)+ y;", ["y", "x y", "x x y"]),
        ("public <a> = <n> | <n> and <a>; <n> = x;", ["x", "x and x", "x and x and x"]),
        ("public <a> = <b>; <b> = x <c>; <c> = y | <b>;", ["x y", "x x y"]),
        ("public <a> = go <b> | stay; <b> = [x <b>];", ["go", "stay", "go x", "go x x"]),
        ("public <a> = (<b>)* z; <b> = [x];", ["z", "x z", "x x z"]),
        ("public <a> = <NULL>* x;", ["x"]),
    ],
)
def test_repeats(rules: str, first: list[str]) -> None:
    network = parse_jsgf(HEADER + rules)
    assert set(enumerate_sentences(network, len(first))) == set(first)
    assert (count_sentences(network) == math.inf) == (first != ["x"])


def test_recursive_rule_does_not_meet_the_alternatives_around_it() -> None:
    network = parse_jsgf(HEADER + "public <a> = <list> | stop; <list> = x | x and <list>;")
    assert match(network, ["stop"]) is not None
    assert match(network, ["x", "and", "stop"]) is None


RADIO = """
public <Tune> = (tune to | play) <station>{station};
public <Volume> = turn it (/3/ up {step=1} | /1/ down {step=-1.5});
public <Power> = switch on {intent:PowerOn} | switch off {intent = "Power Off"};
public <Both> = <Tune> and <Volume>;
<station> = radio four {station:R4} | "classic f m" | <number>{channel};
<number> = channel (one {n:1} | two {n:2});
"""


@pytest.mark.parametrize(
    ("said", "intent", "slots"),
    [
        ("play classic f m", "Tune", {"station": "classic f m"}),
        ("tune to channel two", "Tune", {"station": "channel two", "channel": "channel two", "n": 2}),
        ("turn it down", "Volume", {"step": -1.5}),
        ("switch on", "PowerOn", {}),
        ("switch off", "Power Off", {}),
        ("play classic f m and turn it up", "Both", {"station": "classic f m", "step": 1}),
    ],
)
def test_tags(said: str, intent: str, slots: dict[str, object]) -> None:
    assert understood(RADIO, said) == Interpretation(intent, slots)  # type: ignore[arg-type]


def test_slot_said_twice_is_a_list() -> None:
    rules = "public <a> = <c>{colour} (and <c>{colour})*; <c> = red | blue;"
    assert understood(rules, "red and blue and red") == Interpretation(
        "a", {"colour": ["red", "blue", "red"]}
    )


def test_tag_covers_what_it_is_attached_to() -> None:
    assert understood("public <a> = x y {s};", "x y") == Interpretation("a", {"s": "y"})
    assert understood("public <a> = (x y) {s};", "x y") == Interpretation("a", {"s": "x y"})
    assert understood("public <a> = [x] y* {s};", "x y y") == Interpretation("a", {"s": "y y"})
    assert understood("public <a> = [x] y* {s};", "x") == Interpretation("a", {})
    assert understood("public <a> = x {s} {t=1};", "x") == Interpretation("a", {"s": "x", "t": 1})
    assert understood('public <a> = x {s:"12"};', "x") == Interpretation("a", {"s": "12"})
    assert understood("public <a> = x {s:a \\{b\\} \\\\};", "x") == Interpretation("a", {"s": "a {b} \\"})


def test_weights_are_relative_to_the_heaviest() -> None:
    network = parse_jsgf(HEADER + "public <a> = /10/ x | /5/ y | z;")
    weights = sorted({arc.weight for arc in network.arcs})
    assert weights == pytest.approx([math.log(0.1), math.log(0.5), 0.0])


def test_words_know_their_line() -> None:
    network = parse_jsgf(HEADER + "public <a> = one\n  two /* x\n y */ | three;\n")
    assert dict(network.vocabulary()) == {"one": 3, "two": 4, "three": 5}


def test_old_line_ends() -> None:
    with pytest.raises(GrammarError) as caught:
        parse_jsgf("#JSGF V1.0;\r\ngrammar t;\r\npublic <a> = ;\r\n")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("line", "text", "problem"),
    [
        (1, "", "got 'nothing'"),
        (1, "grammar x;", "header"),
        (1, "#JSGF V2.0;\ngrammar x;", "header"),
        (1, "#JSGF V1.0\ngrammar x y;", "header"),
        (2, "#JSGF V1.0;\npublic <a> = b;", "'grammar NAME;'"),
        (2, "#JSGF V1.0;\n<a> = b;", "'grammar'"),
        (2, "#JSGF V1.0;\ngrammar;", "name of the grammar"),
        (3, "#JSGF V1.0;\ngrammar x\npublic <a> = b;", "';'"),
    ],
)
def test_mistake_in_the_header(line: int, text: str, problem: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(problem)) as caught:
        parse_jsgf(text, "x.jsgf")
    assert str(caught.value).startswith(f"x.jsgf:{line}: ")


@pytest.mark.parametrize(
    ("line", "rules", "problem"),
    [
        (3, "import <other.*>;\npublic <a> = b;", "import"),
        (4, "public <a> = b;\n<a> = c;", "line 3 already"),
        (4, "public <a> = b;\n<b> = <none>;", "no rule <none>"),
        (4, "\npublic <a> = ;", "expected a word"),
        (4, "\npublic <a> = b | ;", "expected a word"),
        (5, "\npublic <a> = (b\n;", "for the ( of line 4"),
        (4, "public <a> = [b\n);", "expected ']'"),
        (3, "public <a> = b);", "expected ';'"),
        (4, "public <a> = b\n", "the end of the file"),
        (3, "public <a> = ();", "expected a word"),
        (3, "public <a> = * b;", "must follow"),
        (3, "public <a> = b**;", "only one"),
        (3, "public <a> = b {t}* +;", "only one"),
        (3, "public <a> = {t} b;", "must follow"),
        (3, "public <a> = /x/ b;", "weight"),
        (3, "public <a> = /-1/ b;", "weight"),
        (3, "public <a> = /0/ b | /0/ c;", "above 0"),
        (3, "public <a> = b /1/ c;", "must follow"),
        (3, "public <a> = /1 b;", "second /"),
        (3, "public <a> = b {t;", "a tag without }"),
        (4, 'public <a> = b\n "c;\n', "closing quote"),
        (3, "public <a> = b; /* c", "comment without */"),
        (3, "public <a = b;", "rule name"),
        (3, "public <a b> = b;", "rule name"),
        (3, "public a = b;", "rule name"),
        (3, "public <NULL> = b;", "cannot be defined"),
        (3, "public <a> = <other.b>;", "another grammar"),
        (3, "<a> = b;", "at least one public rule"),
        (3, "public <a> = <VOID>;", "no public rule can be said"),
        (3, "public <a> = <NULL>;", "silence"),
        (3, "public <a> = <NULL>* {x};", "silence"),
        (3, 'public <a> = "";', "at least one word"),
        (3, "public <a> = the 2nd;", "2nd"),
        (3, "public <a> = b {this.x = 1; that()};", "expected a tag"),
        (3, "public <a> = b {x=1; y=2};", "expected a tag"),
        (3, "public <a> = b {};", "expected a tag"),
        (3, "public <a> = b {s=};", "expected a tag"),
        (3, "public <a> = b {intent};", "intent's name"),
        (3, "public <a> = <a> b | c;", "<a> -> <a>"),
        (4, "public <a> = [x] <b> | c;\n<b> = y* <a> z;", "begin with itself: <a> -> <b> -> <a>"),
        (3, "public <a> = b <a> c | d;", "at the end of a rule, without a tag: <a> -> <a>"),
        (4, "public <a> = b <c> | d;\n<c> = e <a> f;", "<a> -> <c> -> <a>"),
        (3, "public <a> = b <a> {s} | d;", "at the end of a rule"),
        (3, "public <a> = (b <a>)+ | d;", "at the end of a rule"),
        (3, "public <a> = " + "(" * 200 + "b" + ")" * 200 + ";", "nested deeper"),
        (3, "public <a> = b ~ \\", "unexpected '\\\\'"),
    ],
)
def test_mistake_names_its_line(line: int, rules: str, problem: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(problem)) as caught:
        parse_jsgf(HEADER + rules, "x.jsgf")
    place = "x.jsgf" if caught.value.line is None else f"x.jsgf:{line}"
    assert str(caught.value).startswith(f"{place}: ")
    assert caught.value.line is not None or "public rule" in problem


@pytest.mark.timeout(30)
def test_rules_that_multiply_are_refused() -> None:
    rules = "".join(f"<r{i}> = <r{i + 1}> <r{i + 1}>;" for i in range(60))
    with pytest.raises(GrammarError, match="arcs"):
        parse_jsgf(HEADER + rules + "<r60> = x; public <a> = <r0>;")
    # The first thirty are few, but without their silent ways they are many.
    silent = " ".join(["[(" * 4 + "[x] [y] [z]" + ")+]" * 4] * 8)
    with pytest.raises(GrammarError, match="arcs"):
        parse_jsgf(HEADER + f"public <a> = {' '.join([f'({silent})*'] * 400)};")


def test_chain_of_rules_too_long_for_the_stack_is_refused() -> None:
    rules = "".join(f"<r{i}> = <r{i + 1}>;" for i in range(2000))
    with pytest.raises(GrammarError, match="too long a row"):
        parse_jsgf(HEADER + rules + "<r2000> = x; public <a> = <r0>;")


@pytest.mark.parametrize(
    ("header", "encoding"),
    [("", "utf-8"), (" UTF-8 en", "utf-8"), (" ISO8859-1 fr", "latin-1"), (" utf-8", "utf-8-sig")],
)
def test_header_names_the_encoding(tmp_path: Path, header: str, encoding: str) -> None:
    file = tmp_path / "a.jsgf"
    file.write_text(f"#JSGF V1.0{header};\ngrammar a;\npublic <a> = café;", encoding=encoding)
    assert enumerate_sentences(read_jsgf(file), 9) == ["café"]


def test_wrong_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.jsgf"
    file.write_bytes("#JSGF V1.0;\ngrammar a;\npublic <a> = café;".encode("latin-1"))
    with pytest.raises(GrammarError, match=r"a\.jsgf:3: expected UTF-8"):
        read_jsgf(file)
    file.write_bytes(b"#JSGF V1.0 klingon;\ngrammar a;\npublic <a> = b;")
    with pytest.raises(GrammarError, match="unknown encoding 'klingon'"):
        read_jsgf(file)


# Round trip: any tree, written in JSGF, is read back as the same tree.


def write(item: Expansion) -> str:
    """An expansion in JSGF, with brackets wherever they might matter."""
    match item:
        case Token(text):
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if " " in text else text
        case Reference(name):
            return f"<{name}>"
        case Null():
            return "<NULL>"
        case Void():
            return "<VOID>"
        case Chain(items):
            return "(" + " ".join(write(part) for part in items) + ")"
        case Choice(((one, 1.0), (Null(), 1.0))) if isinstance(one, Repeat):
            return f"({write(one.item)})*"
        case Choice(((one, 1.0), (Null(), 1.0))):
            return f"[{write(one)}]"
        case Choice(items):
            return "(" + "\n | ".join(f"/{weight}/ {write(part)}" for part, weight in items) + ")"
        case Repeat(one):
            return f"({write(one)})+"
        case Tagged(one, tag):
            escaped = re.sub(r"([\\{}])", r"\\\1", tag)
            return f"({write(one)}) /* tag */ {{ {escaped} }}"


def without_lines(item: Expansion) -> Expansion:
    match item:
        case Token(text):
            return Token(text, 0)
        case Reference(name):
            return Reference(name, 0)
        case Chain(items):
            return Chain(tuple(without_lines(part) for part in items))
        case Choice(items):
            return Choice(tuple((without_lines(part), weight) for part, weight in items))
        case Repeat(one):
            return Repeat(without_lines(one))
        case Tagged(one, tag):
            return Tagged(without_lines(one), tag, 0)
        case _:
            return item


def trees(leaves: st.SearchStrategy[Expansion], tags: list[str]) -> st.SearchStrategy[Expansion]:
    weights = st.sampled_from([0.5, 1.0, 2.25, 10.0])

    def grow(inner: st.SearchStrategy[Expansion]) -> st.SearchStrategy[Expansion]:
        weighted = st.lists(st.tuples(inner, weights), min_size=2, max_size=3)
        return st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda items: Chain(tuple(items))),
            weighted.map(lambda items: Choice(tuple(items))),
            inner.map(Repeat),
            inner.map(optional),
            st.tuples(inner, st.sampled_from(tags)).map(lambda pair: Tagged(pair[0], pair[1], 0)),
        )

    return st.recursive(leaves, grow, max_leaves=12)


def tokens(*texts: str) -> st.SearchStrategy[Expansion]:
    return st.sampled_from([Token(text, 0) for text in texts])


RULES = st.sampled_from([Reference(name, 0) for name in ("a", "c", "d+e", "f:g")])
SPECIAL = st.sampled_from([Null(), Void()])
WRITTEN = ("on", "o'clock", "new york", 'the "best" \\ one', "x-ray", "été", "1.5")


@settings(max_examples=200)
@given(trees(st.one_of(tokens(*WRITTEN), RULES, SPECIAL), ["x", "x=1", "x: {y}", "a\\b", "intent:Go"]))
def test_round_trip(tree: Expansion) -> None:
    grammar = parse(f"{HEADER}// rules\npublic <a> = {write(tree)} ;", "x.jsgf")
    assert without_lines(grammar.rules["a"].body) == tree


DEFINITIONS = {"a": "x", "c": "[y]", "d+e": "x+", "f:g": "<a> | <c> y"}
LONGEST = 4
X = ("x",)
LANGUAGES = {
    "a": {X},
    "c": {(), ("y",)},
    "d+e": {X * n for n in range(1, LONGEST + 1)},
    "f:g": {X, ("y",), ("y", "y")},
}


def joined(heads: set[tuple[str, ...]], tails: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    return {head + tail for head in heads for tail in tails if len(head) + len(tail) <= LONGEST}


def language(item: Expansion) -> set[tuple[str, ...]]:
    """The sentences of up to four words, by the definition of each operator.

    Not by a regular expression: nested repeats of what may be nothing take it forever.
    """
    match item:
        case Token(text):
            return {(text,)}
        case Reference(name):
            return LANGUAGES[name]
        case Null():
            return {()}
        case Void():
            return set()
        case Chain(items):
            return functools.reduce(joined, map(language, items), {()})
        case Choice(items):
            return set().union(*(language(part) for part, _ in items))
        case Repeat(one):
            once = language(one)
            said = once
            while (more := said | joined(said, once)) != said:
                said = more
            return said
        case Tagged(one):
            return language(one)
    raise AssertionError(item)


@settings(max_examples=200)
@given(trees(st.one_of(tokens("x", "y"), RULES, SPECIAL), ["s", "s=1", "s:2"]))
def test_any_grammar_accepts_what_its_definition_does(tree: Expansion) -> None:
    rules = "".join(f"<{name}> = {body};" for name, body in DEFINITIONS.items())
    says = [words for n in range(1, LONGEST + 1) for words in product("xy", repeat=n)]
    accepted = language(tree)
    expected = {words for words in says if words in accepted}
    try:
        network = parse_jsgf(f"{HEADER}{rules}public <top> = {write(tree)};")
    except GrammarError as error:
        assert not expected, error
        return
    assert {words for words in says if match(network, words) is not None} == expected
    silent = TopologicalSorter[int]()
    for arc in network.arcs:
        if arc.word is None:
            silent.add(arc.source, arc.target)
    silent.prepare()  # raises if a loop has no word in it
    for said in random_sentences(network, 3, seed=0):
        words = tuple(said.split())
        assert words in accepted or (len(words) > LONGEST and match(network, words) is not None)


@settings(max_examples=200)
@given(st.text(alphabet='ab <>()[]{}|*+;=/"\\\n', max_size=24))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        parse(f"{HEADER}public <a> = {text};", "x.jsgf")
    except GrammarError as error:
        assert error.line is not None
        assert error.line >= 3
