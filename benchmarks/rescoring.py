"""``python -m benchmarks.rescoring``: what a neural language model gains in free text, and what it costs.

Word errors of dev speakers with and without it, processor time of the whole recognition, what of it comes
after the last sound, which the caller waits for, and how many words of partial results stay as they are; both
ways take turns on each recording.
Writes ``results/rescoring.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import jiwer
import numpy as np
from tqdm import tqdm

from benchmarks import corpus
from benchmarks.result import write_result
from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.errors import UsageError
from edge_asr.events import Event, Final, Partial
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
from export.corpus import Utterance

SETS = ("librispeech", "commonvoice", "speechocean762")
_BLOCK_SAMPLES = 1600


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundle (default %(default)s)")
    corpus.add_arguments(parser)
    args = parser.parse_args()
    recognizer = Recognizer.load(args.model)
    if recognizer.rescorer() is None:
        raise UsageError(f"{args.model}: brings no neural language model: pack it with --neural-lm")
    figures: dict[str, Any] = {name: measure(recognizer, corpus.dev_set(args, name), name) for name in SETS}
    path = write_result("rescoring", {"model": args.model, "limit": args.limit, "sets": figures})
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def measure(recognizer: Recognizer, utterances: list[Utterance], name: str) -> dict[str, Any]:
    """One set, the same recordings both ways."""
    said = [utterance.text for utterance in utterances]
    heard: dict[bool, list[str]] = {False: [], True: []}
    spent: dict[bool, float] = {False: 0.0, True: 0.0}
    ended: dict[bool, list[float]] = {False: [], True: []}
    shown: dict[bool, list[Partial]] = {False: [], True: []}
    seconds = 0.0
    for utterance in tqdm(utterances, desc=f"rescoring {name}", disable=None):
        samples = read_audio(utterance.audio)
        seconds += samples.size / recognizer.sample_rate_hz
        for rescore in (False, True):
            before = time.process_time()
            events, end_s = listen(recognizer, samples, rescore=rescore)
            spent[rescore] += time.process_time() - before
            ended[rescore].append(1000 * end_s)
            shown[rescore] += [event for event in events if isinstance(event, Partial)]
            heard[rescore].append(" ".join(event.text for event in events if isinstance(event, Final)))
    ways = {
        "rescored" if rescore else "search": {
            "word_error": round(jiwer.wer(said, heard[rescore]), 4),
            "real_time_factor": round(spent[rescore] / seconds, 4),
            "end_ms_p50": round(float(np.median(ended[rescore])), 1),
            "end_ms_p95": round(float(np.percentile(ended[rescore], 95)), 1),
            "stable_words": round(stable_share(shown[rescore]), 4),
        }
        for rescore in (False, True)
    }
    return {"utterances": len(utterances), "minutes": round(seconds / 60, 1), **ways}


def stable_share(partials: list[Partial]) -> float:
    """Of all words that partial results show, the share that stays."""
    words = sum(len(partial.text.split()) for partial in partials)
    return sum(len(partial.stable.split()) for partial in partials) / max(1, words)


def listen(recognizer: Recognizer, samples: Float32Array, *, rescore: bool) -> tuple[list[Event], float]:
    """The events of a recording in blocks of 100 ms, and what the end took, in seconds of the processor."""
    stream = recognizer.stream(rescore=rescore)
    events: list[Event] = []
    for start in range(0, samples.size, _BLOCK_SAMPLES):
        events += stream.accept_waveform(samples[start : start + _BLOCK_SAMPLES])
    began = time.process_time()
    events += stream.finish()
    return events, time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
