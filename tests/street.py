"""What tests of the whole street share: the bundled sample, what it says, and how it is pushed through."""

from __future__ import annotations

from collections.abc import Sequence

from edge_asr import Partial, Recognizer
from edge_asr.arrays import Float32Array
from edge_asr.decoder.graph import Graph
from edge_asr.events import Event

RATE_HZ = 16_000
SENTENCE = "turn on the lights in the living room"


def run(recognizer: Recognizer, graph: Graph | None, blocks: Sequence[Float32Array]) -> list[Event]:
    stream = recognizer.stream(graph=graph)
    events = [event for block in blocks for event in stream.accept_waveform(block)]
    return [*events, *stream.finish()]


def finals(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Partial)]
