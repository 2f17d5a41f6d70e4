from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from edge_asr.decoder.grammar import READERS, load_grammar
from edge_asr.decoder.grammar.census import enumerate_sentences
from edge_asr.errors import GrammarError

JSGF = "#JSGF V1.0;\ngrammar g;\npublic <go> = go;\n"
YAML = "language: en\nintents: {Go: {data: [{sentences: [go]}]}}\n"
WRITTEN = {".jsgf": JSGF, ".gram": JSGF, ".yaml": YAML, ".yml": YAML, ".txt": "go\n"}


@pytest.mark.parametrize("ending", READERS)
def test_ending_chooses_the_reader(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"Grammar{ending.upper()}"
    file.write_text(WRITTEN[ending])
    network = load_grammar(str(file))
    assert enumerate_sentences(network, 9) == ["go"]
    assert network.name == file.name


@pytest.mark.parametrize("reader", sorted(set(READERS.values())))
def test_mistakes_that_every_reader_names(tmp_path: Path, reader: str) -> None:
    module, _, name = reader.partition(":")
    read = getattr(import_module(module), name)
    file = tmp_path / "grammar"
    with pytest.raises(GrammarError, match="cannot read"):
        read(file)
    file.write_bytes(b"")
    with pytest.raises(GrammarError, match="grammar"):
        read(file)
    file.write_bytes(b"one\ntwo \xff\n")
    with pytest.raises(GrammarError) as caught:
        read(file)
    assert caught.value.line in (1, 2)


def test_byte_order_mark_is_no_word(tmp_path: Path) -> None:
    for ending, text in WRITTEN.items():
        file = tmp_path / f"g{ending}"
        file.write_text(text, encoding="utf-8-sig")
        assert enumerate_sentences(load_grammar(file), 9) == ["go"]


def test_directory_holds_templates(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(YAML)
    assert enumerate_sentences(load_grammar(tmp_path), 9) == ["go"]


def test_content_tells_jsgf_from_the_unknown(tmp_path: Path) -> None:
    file = tmp_path / "commands"
    file.write_text(JSGF)
    assert enumerate_sentences(load_grammar(file), 9) == ["go"]
    file.write_text("go\n")
    with pytest.raises(GrammarError, match=r"unknown kind of grammar.*\.jsgf"):
        load_grammar(file)


@pytest.mark.parametrize("name", ["none.jsgf", "none.yaml", "none.txt", "none", "none.xml"])
def test_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(GrammarError, match=f"{name}: cannot read the grammar: No such file"):
        load_grammar(tmp_path / name)


def test_only_templates_load_hassil(tmp_path: Path) -> None:
    file = tmp_path / "g.jsgf"
    file.write_text(JSGF)
    program = (
        "import sys; from edge_asr.decoder.grammar import load_grammar; load_grammar(sys.argv[1]);"
        "sys.exit('hassil' in sys.modules or 'yaml' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(file)], check=True)
