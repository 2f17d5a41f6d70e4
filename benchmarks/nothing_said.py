"""``python -m benchmarks.nothing_said``: words that are heard where nobody speaks.

An hour of recorded noises, generated noises and music through the open microphone's path (voice activity
detector, segmenter, recognizer): free dictation, and commands with a grammar. The recorded noises are those
that the packaged model's recipe holds out of training (``held_out``), without the ones in which people may
be heard; the generated ones are of training's kinds, from another seed. Writes
``results/nothing-said.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks import corpus, spoken_commands
from benchmarks.music import music
from benchmarks.result import write_result
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.decoder.graph import Graph
from edge_asr.events import Final
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
from export.nonspeech import nonspeech

_RATE_HZ = 16_000
_SHARES = {"recorded noise": 0.4, "generated noise": 0.2, "music": 0.4}
"""Parts of the time."""
_PIECE_S = 30.0
_BABBLING = ("crowd", "restaurant", "supermarket", "church", "radio", "station", "busy-street", "carousel")
"""Recordings in which people may be heard: words there are not invented."""


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=[DEFAULT_MODEL], help="bundles (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=60.0, help="of audio (default %(default)g)")
    parser.add_argument("--vad", default="webrtc", help="voice activity detector (default %(default)s)")
    corpus.add_arguments(parser)
    args = parser.parse_args()
    figures: dict[str, Any] = {"minutes": args.minutes, "vad": args.vad, "models": {}}
    for name in args.models:
        recognizer = Recognizer.load(name)
        tasks = {
            "dictation": recognizer.word_loop(),
            "commands": recognizer.compile([spoken_commands.GRAMMAR]),
        }
        figures["models"][name] = {task: _measure(args, recognizer, graph) for task, graph in tasks.items()}
    path = write_result("nothing-said", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def sounds(kind: str, minutes: float, data: Path) -> Iterator[Float32Array]:
    """Pieces (n,) at 16 kHz, together about ``minutes`` long."""
    count = max(1, round(minutes * 60 / _PIECE_S))
    rng = np.random.default_rng(len(kind))
    if kind == "recorded noise":
        unheard = corpus.held_out(data, "noise")
        noises = [u for u in unheard if not any(b in u.audio.stem for b in _BABBLING)]
        for i in range(count):
            clip = read_audio(noises[i * len(noises) // count].audio, _RATE_HZ)
            yield np.resize(clip, round(_PIECE_S * _RATE_HZ))
        return
    make = music if kind == "music" else nonspeech
    for _ in range(count):
        yield make(rng, seconds=_PIECE_S, sample_rate_hz=_RATE_HZ)


def _measure(args: argparse.Namespace, recognizer: Recognizer, graph: Graph) -> dict[str, Any]:
    """By kind of sound: utterances with text, and their words."""
    figures: dict[str, Any] = {}
    for kind, share in _SHARES.items():
        texts = []
        for samples in tqdm(sounds(kind, share * args.minutes, args.data), desc=kind, disable=None):
            stream = recognizer.stream(sample_rate_hz=_RATE_HZ, graph=graph, vad=args.vad)
            events = [*stream.accept_waveform(samples), *stream.finish()]
            texts += [e.text for e in events if isinstance(e, Final) and e.text]
        words = sum(len(text.split()) for text in texts)
        figures[kind] = {"accepted": len(texts), "words": words, "texts": sorted(texts)[:20]}
    return figures


if __name__ == "__main__":
    sys.exit(main())
