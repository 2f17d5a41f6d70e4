"""Grammars that are small to write and enormous when written out are refused, soon and with their size."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from edge_asr.decoder import phone_trees as trees_module
from edge_asr.decoder import wordgraph as wordgraph_module
from edge_asr.decoder.compile import compile_network, compile_word_loop
from edge_asr.decoder.grammar import jsgf_parser as parser_module
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar import text_file as text_module
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.jsgf_soundness import LONGEST_ROW
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.grammar.sentences import parse_sentences
from edge_asr.decoder.grammar.templates import parse_templates
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import about
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.wordgraph import build_word_graph
from edge_asr.errors import GrammarError, GrammarSizeError

pytestmark = pytest.mark.timeout(60)
HEADER = "#JSGF V1.0;\ngrammar bomb;\n"
INTENT = "language: en\nintents:\n  A:\n    data:\n      - sentences:\n"
OPTIONAL_LETTERS = "".join(f"[{letter}]" for letter in "bcdfghjklmnpqrstvwxz")
LEXICON = Lexicon("a A\nb B\n", Tokens(["<blk>", "A", "B"]))


def chain(body: str, last: str) -> str:
    """Nine hundred rules, each of which refers to the next."""
    rules = "".join(f"<r{i}> = {body.format(f'<r{i + 1}>')};" for i in range(900))
    return f"{rules}<r900> = {last}; public <a> = <r0>;"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (f"public <a> = {'[' * 5000}b{']' * 5000};", "nested deeper than 100"),
        (f"public <a> = b {'{s}' * 5000};", "more than 100 tags"),
        (f"public <a> = {'[b] ' * 5000};", "arcs, the limit is 1,000,000"),
        (chain("{0} {0}", "b"), "10^2"),
        (chain("b {0}", "b"), "too long a row"),
        (chain("{0} [b]", "[b]"), "too long a row"),
        (chain("[{0}]", "b"), "too long a row"),
    ],
)
def test_jsgf(rules: str, message: str) -> None:
    for rejects in (None, list[Reject]()):
        with pytest.raises(GrammarError, match=re.escape(message)) as caught:
            parse_jsgf(HEADER + rules, "bomb.jsgf", rejects)
        assert len(str(caught.value)) < 1000


def test_too_many_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_module, "_MOST_LEXEMES", 1000)
    with pytest.raises(GrammarSizeError, match="expected up to 1,000 words and signs, got more"):
        parse_jsgf(HEADER + f"public <a> = {'b ' * 1000};")
    with pytest.raises(GrammarError, match="more than 1,000 mistakes"):
        parse_sentences("".join(f"{'b' * n} ½\n" for n in range(2000)), "g", [])


def test_rules_in_a_long_but_allowed_row_are_read() -> None:
    last = LONGEST_ROW - 1
    rules = "".join(f"<r{i}> = b [<r{i + 1}>];" for i in range(last))
    assert parse_jsgf(HEADER + rules + f"<r{last}> = b; public <a> = a <r1>;").arcs


def test_one_rule_that_explodes_leaves_the_rest() -> None:
    doubling = "".join(f"<r{i}> = <r{i + 1}> <r{i + 1}>;\n" for i in range(60)) + "<r60> = b;\n"
    rejects: list[Reject] = []
    network = parse_jsgf(HEADER + doubling + "public <a> = <r0>;\npublic <b> = a;", "g", rejects)
    assert dict(network.vocabulary()).keys() == {"a"}
    [reject] = rejects
    assert reject.line == 64
    assert re.fullmatch(r"up to <a> about 10\^1[89] arcs, the limit is 1,000,000", reject.message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x: " + "[" * 100_000, "nested deeper than 50"),
        ("x:\n  " + "- " * 100_000, "nested deeper than 50"),
        ("x: " + "{a: " * 100_000, "nested deeper than 50"),
        ("? " * 100_000, "nested deeper than 50"),
        (
            "a0: &a0 {k: v}\n"
            + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 12)),
            r"[\d,]{9,} values or more with all aliases, the limit is 1,000,000",
        ),
        (
            "data: &d\n" + "  - {sentences: [a, b]}\n" * 2000
            + "intents:\n" + "".join(f"  I{i}: {{data: *d}}\n" for i in range(2000)),
            r"values or more with all aliases",
        ),
        (INTENT + "          - 'go {0..999999:x}'\n", "about 32,000,0.. arcs"),
        (INTENT + f"          - 'go {{1..{'9' * 5000}:x}}'\n", "numbers go from|range of numbers"),
        (INTENT + f"          - '({';'.join('ab' * 2000)})'\n", r"about 10\^\d{4} arcs"),
        (INTENT + f"          - '{OPTIONAL_LETTERS}y'\n", "100,000 words"),
        (
            INTENT + f"          - 'go {'{x} ' * 30}'\nlists: {{x: {{values: [{'a b, ' * 9000}]}}}}\n",
            "arcs, the limit",
        ),
    ],
)  # fmt: skip
def test_templates(text: str, message: str) -> None:
    text = text if text.startswith("language") else "language: en\n" + text
    with pytest.raises(GrammarError, match=message) as caught:
        parse_templates(text, "bomb.yaml")
    assert len(str(caught.value)) < 1000
    with pytest.raises(GrammarError):
        parse_templates(text, "bomb.yaml", [])


def test_numbers_that_python_refuses_are_refused_with_their_line() -> None:
    for text in (f"go\n{'9' * 10_000}\n", f"go\n1.{'5' * 10_000}\n", f"go\n{'9' * 10_000}th\n"):
        rejects: list[Reject] = []
        parse_sentences(text, "g", rejects)
        assert [reject.line for reject in rejects] == [2]
        assert len(rejects[0].message) < 20_200


@pytest.mark.parametrize(
    ("value", "kind"), [(f"0x{'f' * 9000}", "text"), (".nan", "text"), ("2024-13-45", "text")]
)
def test_odd_scalars_do_no_harm(value: str, kind: str) -> None:
    text = INTENT + f"          - go {{x}}\nlists: {{x: {{values: [home, {{in: work, out: {value}}}]}}}}\n"
    rejects: list[Reject] = []
    assert parse_templates(text, "g", rejects).arcs


@pytest.mark.parametrize("value", [".inf", ".nan", "1e300", "[]", "yes"])
def test_odd_multipliers_are_refused(value: str) -> None:
    text = INTENT + f"          - go {{x}}\nlists:\n  x: {{range: {{from: 1, to: 3, multiplier: {value}}}}}\n"
    with pytest.raises(GrammarError, match="expected a number for multiplier") as caught:
        parse_templates(text)
    assert caught.value.line == 8


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "g.txt"
    with file.open("wb") as sparse:
        sparse.truncate(10**12)
    with pytest.raises(GrammarSizeError, match="up to 8,388,608 bytes, got 1,000,000,000,000"):
        load_grammar(file)
    monkeypatch.setattr(text_module, "MAX_BYTES", 3)
    file.write_text("go\n")
    assert load_grammar(file).arcs
    file.write_text("gone\n")
    with pytest.raises(GrammarSizeError):
        load_grammar(file)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "g.txt"
    os.mkfifo(pipe)
    with pytest.raises(GrammarError, match="expected a file"):
        load_grammar(pipe)


@pytest.mark.parametrize("codec", ["base64", "punycode", "idna", "undefined", "rot13", "utf-16", "a\0b"])
def test_strange_encodings_are_refused(tmp_path: Path, codec: str) -> None:
    file = tmp_path / "g.jsgf"
    file.write_bytes(
        f"#JSGF V1.0 {codec} en;\ngrammar g;\npublic <a> = caf\\xff;\n".encode("latin-1") + b"\xff"
    )
    with pytest.raises(GrammarError):
        load_grammar(file)


def test_optional_words_in_a_row_are_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    network = parse_jsgf(HEADER + f"public <a> = b {'[a] ' * 100};", "g")
    assert build_word_graph([network]).steps
    monkeypatch.setattr(wordgraph_module, "MAX_STEPS", 4000)
    with pytest.raises(GrammarSizeError, match="g: more than 4,000 ways from word to word"):
        build_word_graph([network])


def test_a_search_graph_too_large_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    network = parse_sentences("a b\nb a\n", "g")
    arcs = compile_network(network, LEXICON).arcs
    monkeypatch.setattr(trees_module, "MAX_GRAPH_ARCS", arcs)
    compile_network(network, LEXICON)
    monkeypatch.setattr(trees_module, "MAX_GRAPH_ARCS", arcs - 1)
    with pytest.raises(GrammarSizeError, match=f"g: the search graph would have {arcs} arcs, the limit is"):
        compile_network(network, LEXICON)
    monkeypatch.setattr(trees_module, "MAX_GRAPH_ARCS", 1)
    with pytest.raises(GrammarSizeError, match="loop: the search graph would have 2 phones"):
        compile_word_loop([("a", 0.0), ("b", 0.0)], LEXICON, name="loop")


def test_sizes_are_told_in_short() -> None:
    assert about(1234) == "about 1,234"
    assert about(2**60) == "about 10^18"
    assert about(10**6000) in ("about 10^6000", "about 10^6001")


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """The bombs that would need the most, in a process of their own whose peak is theirs."""
    files = {
        "a.jsgf": HEADER + "public <a> = " + " ".join(["(a | the | in)"] * 20_000) + ";",
        "b.yaml": INTENT
        + f"          - 'go {'{x} ' * 49}'\nlists: {{x: {{values: [{'a b c, ' * 5000}]}}}}\n",
        "c.txt": "on off " * 1_000_000,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    program = (
        "import sys, resource\nfrom edge_asr.decoder.grammar import load_grammar\n"
        "from edge_asr.errors import GrammarError\n"
        "for path in sys.argv[1:]:\n"
        "    try: print(len(load_grammar(path, []).arcs))\n"
        "    except GrammarError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *(str(tmp_path / name) for name in files)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
    )
    *outcomes, peak_mb = done.stdout.splitlines()
    assert outcomes[0].isdecimal()
    assert "the limit is 1,000,000" in outcomes[1]
    assert "more than 1,000,000 arcs" in outcomes[2]
    assert int(peak_mb) < 1000
