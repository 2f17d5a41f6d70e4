from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edge_asr.decoder.grammar import yaml_parser as parser_module
from edge_asr.decoder.grammar.located_yaml import Text
from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.yaml_mending import parse_mended
from edge_asr.decoder.grammar.yaml_parser import parse_yaml
from edge_asr.errors import GrammarError

LOADERS = [pytest.param(yaml.SafeLoader, id="PyYAML")]
if yaml.__with_libyaml__:
    LOADERS.append(pytest.param(yaml.CSafeLoader, id="libyaml"))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture(params=LOADERS)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(parser_module, "_Loader", request.param)
    return request.param


@given(DOCUMENTS, st.booleans())
def test_reads_what_yaml_writes(document: Any, flow: bool) -> None:
    text = yaml.safe_dump(document, default_flow_style=flow, allow_unicode=True)
    for loader in LOADERS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parser_module, "_Loader", loader.values[0])
            assert parse_yaml(text, "g").plain() == document


def test_values_know_their_line(loader: Any) -> None:
    root = parse_yaml("# comment\na:\n  - one\n  - {b: 2,\n     c: &x three}\nd: *x\n", "g")
    keys = root.mapping("it")
    first, second = keys["a"].items("a")
    assert (first.line, second.line, second.mapping("it")["c"].line) == (3, 4, 5)
    assert keys["d"].line == 5, "an alias stands where its anchor is"
    assert isinstance(first.value, Text) and first.value.line == 3
    assert [key.line for key in keys if isinstance(key, Text)] == [2, 6]


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (None, "", "the file is empty"),
        (None, "# nothing\n", "the file is empty"),
        (2, "a: b\n- c\n", "YAML"),
        (2, "a: 1\na: 2\n", "line 1 already"),
        (1, "a: *b\n", "&b|undefined|b"),
        (1, "a: &a [*a]\n", "within itself"),
        (2, "a\n--- b\n", "single document"),
        (2, "a: é\nb: \x07\n", "control character 0x07"),
        (1, "[a]: b\n", "expected text for a key, got a list"),
        (1, "<<: [1]\n", "expected a mapping for <<"),
        (1, "!!python/object:os.system x\n", "python"),
        (1, "[" * 51, "nested deeper than 50"),
    ],
)
def test_mistakes(loader: Any, line: int | None, text: str, message: str) -> None:
    with pytest.raises(GrammarError, match=message) as caught:
        parse_yaml(text, "g")
    assert caught.value.line == line


def test_of_repeated_keys_the_first_counts(loader: Any) -> None:
    rejects: list[Reject] = []
    assert parse_yaml("a: 1\nb: 2\na: 3\n", "g", Mistakes(rejects)).plain() == {"a": 1, "b": 2}
    assert [str(reject) for reject in rejects] == ["g:3: the key 'a' stands in line 1 already"]


def test_merged_keys_go_behind_those_of_the_mapping(loader: Any) -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 0}\nd: {x: 3, <<: *b}\n"
    found = parse_yaml(text, "g").plain()
    assert found == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "kept", "lines"),
    [
        ("a:\n  - x\n  - [the] y\n  - z\n", {"a": ["x", "z"]}, [3]),
        ("a:\r\n  - x\r\n  - {the} y\r\n  - z\r\n", {"a": ["x", "z"]}, [3]),
        ('a:\n  - "x\n  - y\nb: "z"\n', {"a": ["y"], "b": "z"}, [2]),
        ("a:\n  - in: 'x': y\n    out: z\n  - w\n", {"a": ["w"]}, [2]),
        ("a:\n  - x\n  - @y\n  - `z\n  - %w\n", {"a": ["x"]}, [3, 4, 5]),
    ],
)
def test_items_that_are_no_yaml_are_left_out(loader: Any, text: str, kept: Any, lines: list[int]) -> None:
    rejects: list[Reject] = []
    assert parse_mended(text, "g", Mistakes(rejects)).plain() == kept
    assert [reject.line for reject in rejects] == lines
    with pytest.raises(GrammarError, match="YAML"):
        parse_mended(text, "g", Mistakes())


@pytest.mark.parametrize(
    "text", ["a: [\n", "a: 'b\n", "a: b: c\n", "- a\nb: c\n", "x:\n" + "  - [a] b\n" * 60]
)
def test_what_cannot_be_mended_is_refused(loader: Any, text: str) -> None:
    with pytest.raises(GrammarError, match="YAML"):
        parse_mended(text, "g", Mistakes([]))
