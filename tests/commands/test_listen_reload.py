"""``edge-asr listen`` takes up changes of its grammar; the microphone is made of a recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asr.audio import microphone as microphone_module
from edge_asr.audio.block_queue import Block
from edge_asr.audio.file import read_audio
from edge_asr.cli import main
from edge_asr.decoder.grammar.watch import GrammarFiles

RATE_HZ = 16_000
SENTENCE = "turn on the lights in the living room"
GRAMMAR = "language: en\nintents:\n  {intent}: {{data: [{{sentences: ['{sentence}']}}]}}\n"


@pytest.fixture
def listen(
    monkeypatch: pytest.MonkeyPatch, repository: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[list[Any], list[str]]]:
    """Listen to the sample once after each action; the events and the messages."""
    sample = read_audio(repository / "edge_asr" / "samples" / "living-room-lights.flac")
    quiet = (1e-4 * np.random.default_rng(0).standard_normal(2 * RATE_HZ)).astype(np.float32)

    def run(
        grammar: Path, *actions: Callable[[], object], flags: Sequence[str] = ()
    ) -> tuple[list[Any], list[str]]:
        class Recording:
            device = "a recording"
            sample_rate_hz = RATE_HZ

            def __init__(self, device: object) -> None:
                assert device is None

            def __enter__(self) -> Recording:
                return self

            def __exit__(self, *_: object) -> None:
                pass

            def __iter__(self) -> Iterator[Block]:
                for action in actions:
                    action()
                    for block in np.array_split(np.concatenate([quiet, sample, quiet]), 100):
                        yield Block(samples=block)

        monkeypatch.setattr(microphone_module, "Microphone", Recording)
        # Look at the files before every block: the recording does not take its time.
        monkeypatch.setitem(GrammarFiles.__init__.__kwdefaults__, "every_s", 0.0)  # type: ignore[arg-type]
        assert main(["listen", "--json", "--grammar", str(grammar), *flags]) == 0
        printed = capsys.readouterr()
        return [json.loads(line) for line in printed.out.splitlines()], printed.err.splitlines()

    return run


def test_a_changed_grammar_is_heard_from_the_next_utterance_on(
    listen: Callable[..., tuple[list[Any], list[str]]], tmp_path: Path
) -> None:
    grammar = tmp_path / "own.yaml"
    grammar.write_text(GRAMMAR.format(intent="Before", sentence=SENTENCE))

    def change(text: str) -> Callable[[], object]:
        return lambda: grammar.write_text(text)

    events, messages = listen(
        grammar,
        lambda: None,
        change(GRAMMAR.format(intent="After", sentence=f"{SENTENCE} [日本]")),
        change("language: en\nintents: ["),
        change(GRAMMAR.format(intent="Last", sentence=SENTENCE)),
    )
    assert [event["text"] for event in events if event["type"] == "Final"] == [SENTENCE] * 4
    assert [event["name"] for event in events if event["type"] == "Intent"] == [
        "Before",
        "After",
        "After",
        "Last",
    ]
    told = [message for message in messages if message.startswith("edge-asr: ")]
    heard = "edge-asr: the grammar has changed: it is heard from the next utterance on"
    assert told == [
        "edge-asr: own.yaml:3: unknown word '日本'",
        heard,
        "edge-asr: own.yaml:3: YAML: did not find expected node content; the grammar stays as it was",
        heard,
    ]


def test_changed_entries_of_a_list_are_heard_from_the_next_utterance_on(
    listen: Callable[..., tuple[list[Any], list[str]]], tmp_path: Path
) -> None:
    grammar, rooms = tmp_path / "own.jsgf", tmp_path / "rooms.txt"
    grammar.write_text("#JSGF V1.0; grammar g; public <On> = turn on the lights in the <lists.room>{room};")
    rooms.write_text("kitchen\n")
    events, messages = listen(
        grammar,
        lambda: None,
        lambda: rooms.write_text("kitchen\nliving room\tlounge\n日本\n"),
        lambda: rooms.write_text("\n"),
        flags=["--list", f"room={rooms}"],
    )
    ends = [event for event in events if event["type"] in ("Rejected", "Intent")]
    assert [event["type"] for event in ends] == ["Rejected", "Intent", "Rejected"]
    assert ends[1]["slots"] == {"room": "lounge"}
    assert any("rooms.txt:3: unknown word '日本'" in message for message in messages)
    assert any("the list 'room' has no entries" in message for message in messages)
