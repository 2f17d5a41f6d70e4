from __future__ import annotations

from collections import Counter

from drawn_networks import networks
from exhaustive_ctc import sentences
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asr.decoder.grammar.readings import Reader
from edge_asr.decoder.grammar.templates import parse_templates
from edge_asr.decoder.network import WordNetwork
from edge_asr.understand.intent import interpret


@settings(max_examples=50)
@given(networks(words=("a", "b")), st.lists(st.sampled_from("ab"), min_size=1, max_size=4))
def test_reads_every_way(network: WordNetwork, words: list[str]) -> None:
    expected = Counter(said for found, said, _ in sentences(network, 4) if found == tuple(words))
    read = Reader(network).read(words, limit=10_000)
    got = Counter(
        tuple(item for word, marks in reading.path for item in (*marks, *([word] if word else ())))
        for reading in read
    )
    assert got == expected


def test_knows_the_lines() -> None:
    text = (
        "language: en\nintents:\n  A:\n    data:\n      - sentences:\n          - up [now]\n"
        "  B:\n    data:\n      - sentences:\n          - '{way}'\nlists:\n  way:\n    values:\n      - up\n"
    )
    found = [(interpret(r.path), r.lines) for r in Reader(parse_templates(text)).read(["up"])]
    assert [(meaning and meaning.intent, lines) for meaning, lines in found] == [
        ("A", (5, 6)),
        ("B", (9, 10, 14)),
    ]


def test_stops_at_the_limit() -> None:
    network = WordNetwork("g")
    for _ in range(100):
        network.add(network.start, network.end, "x")
    assert len(Reader(network).read(["x"], limit=7)) == 7
    assert Reader(network).read(["y"]) == []
