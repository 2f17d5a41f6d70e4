"""``python -m benchmarks.endpointing``: how soon utterances end, and how often too soon.

Each recording is played between noise of its own kind in real-time blocks: GRID and the spoken home and car
commands with their grammars, LibriSpeech as free text. Speech ends where the last word does by a forced
alignment with the model itself, held to what was said. *Latency* is the audio heard between that and the
Final or Rejected; an utterance is *cut early* if it ends before its speech does. Writes
``results/endpointing.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks import corpus
from benchmarks.accuracy import KITCHEN_TABLE
from benchmarks.conditions import CLEAN, Condition, Scene
from benchmarks.result import write_result
from benchmarks.spoken_commands import GRAMMAR, spoken_commands
from edge_asr.arrays import Float32Array
from edge_asr.decoder.endpoint import PRESETS
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.graph import Graph
from edge_asr.events import Event, Final, Rejected
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

TASKS: dict[str, tuple[Path | None, Condition]] = {
    "commands": (GRAMMAR, KITCHEN_TABLE),
    "grid": (GRAMMAR.with_name("grid.jsgf"), CLEAN),
    "librispeech": (None, CLEAN),
}
_RATE_HZ = 16_000
_BLOCK = 320
_BEFORE_S, _AFTER_S = 0.5, 4.0


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundle (default %(default)s)")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="spoken commands and rooms")
    corpus.add_arguments(parser)
    parser.set_defaults(limit=60)
    args = parser.parse_args()
    recognizer, scene = Recognizer.load(args.model), Scene(args.data, args.cache)
    figures: dict[str, Any] = {}
    for name, (grammar, condition) in TASKS.items():
        graph = recognizer.compile([grammar]) if grammar else None
        rows: dict[str, list[dict[str, Any]]] = {preset: [] for preset in [*PRESETS, "off"]}
        utterances = (
            corpus.evenly(spoken_commands(args.cache), args.limit)
            if name == "commands"
            else corpus.dev_set(args, name)
        )
        for utterance in tqdm(utterances, desc=name, disable=None):
            samples = scene.hear(utterance, condition)
            ends_s = speech_end(recognizer, utterance.text, samples)
            if ends_s is None:
                continue
            played, ends_s = between_noise(samples), ends_s + _BEFORE_S
            for preset, found in rows.items():
                found.append(measure(recognizer, graph, played, ends_s, preset, utterance.text))
        figures[name] = {preset: summary(found) for preset, found in rows.items()}
    path = write_result("endpointing", {"model": args.model, "limit": args.limit, "tasks": figures})
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def speech_end(recognizer: Recognizer, text: str, samples: Float32Array) -> float | None:
    """When the last word ends, in seconds; None where a word is unknown or the alignment fails."""
    if any(word not in recognizer.lexicon for word in text.split()):
        return None
    stream = recognizer.stream(graph=recognizer.compile([sentences_network([text], "said")]), rejection="off")
    stream.accept_waveform(samples)
    final = next((event for event in stream.finish() if isinstance(event, Final)), None)
    return final.words[-1].end_s if final else None


def between_noise(samples: Float32Array) -> Float32Array:
    """The recording after and before noise with the spectrum and level of its quietest half second."""
    rng = np.random.default_rng(samples.size)
    size = _RATE_HZ // 2
    starts = range(0, max(1, samples.size - size), size // 4)
    quietest = min(starts, key=lambda at: float(np.square(samples[at : at + size]).sum()))
    part = samples[quietest : quietest + size]
    shape = np.abs(np.fft.rfft(part * np.hanning(part.size)))

    def noise(seconds: float) -> Float32Array:
        count = round(seconds * _RATE_HZ)
        spectrum = np.fft.rfft(rng.standard_normal(count))
        spectrum *= np.interp(np.linspace(0, 1, spectrum.size), np.linspace(0, 1, shape.size), shape)
        shaped = np.fft.irfft(spectrum, count)
        return np.asarray(shaped * np.sqrt(np.square(part).mean() / np.square(shaped).mean()), np.float32)

    return np.concatenate([noise(_BEFORE_S), samples, noise(_AFTER_S)])


def measure(
    recognizer: Recognizer, graph: Graph | None, samples: Float32Array, ends_s: float, preset: str, text: str
) -> dict[str, Any]:
    """When the utterance ended, and what was heard of it by then."""
    stream = recognizer.stream(graph=graph, vad="webrtc", endpoint=None if preset == "off" else preset)
    events: list[Event] = []
    for at in range(0, samples.size, _BLOCK):
        events += stream.accept_waveform(samples[at : at + _BLOCK])
    still_open = not any(isinstance(e, Final | Rejected) and e.at_s >= ends_s for e in events)
    events += stream.finish()
    endings = [event for event in events if isinstance(event, Final | Rejected)]
    return {
        # A Rejected before the speech is noise that opened the detector, and cuts nothing.
        "early": any(e.at_s < ends_s for e in endings if isinstance(e, Final)),
        "open": still_open,
        "latency_s": next((e.at_s - ends_s for e in endings if e.at_s >= ends_s), None),
        "right": [e.text for e in endings if isinstance(e, Final)] == [text],
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    # What was cut early ends, too: with its last piece.
    latencies = [row["latency_s"] for row in rows if row["latency_s"] is not None] or [float("nan")]
    return {
        "utterances": len(rows),
        "early_share": round(float(np.mean([row["early"] for row in rows])), 4),
        "still_open_share": round(float(np.mean([row["open"] for row in rows])), 4),
        "right_share": round(float(np.mean([row["right"] for row in rows])), 4),
        "latency_median_s": round(float(np.median(latencies)), 3),
        "latency_p95_s": round(float(np.percentile(latencies, 95)), 3),
    }


if __name__ == "__main__":
    sys.exit(main())
