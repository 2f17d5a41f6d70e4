"""``python -m benchmarks.word_times``: how far word times lie from a forced alignment.

The alignment is PocketSphinx's, given the words; ours comes from the search, held to the same words. The
median signed error of the starts is the model's lateness: ``delay_frames`` in the bundle takes it off
(``python -m export pack --delay-frames``), so with a tuned bundle it is about zero.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks import corpus
from benchmarks.result import write_result
from edge_asr.audio.file import read_audio
from edge_asr.audio.pcm import to_bytes
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.events import Final
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
from export.corpus import Utterance

SETS = ("grid", "librispeech")
_SPHINX_FRAME_S = 0.01


def main() -> int:
    """Measure and write ``results/word-times.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundle (default %(default)s)")
    corpus.add_arguments(parser)
    args = parser.parse_args()
    recognizer = Recognizer.load(args.model)
    figures: dict[str, Any] = {name: measure(recognizer, corpus.dev_set(args, name), name) for name in SETS}
    path = write_result("word-times", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def measure(recognizer: Recognizer, utterances: list[Utterance], name: str) -> dict[str, Any]:
    """Errors of word starts and ends in milliseconds, ours minus the alignment's."""
    from pocketsphinx import Decoder

    sphinx = Decoder(lm=None, loglevel="FATAL")
    starts, ends = [], []
    used = 0
    for utterance in tqdm(utterances, desc=f"word times {name}", disable=None):
        # Both dictionaries must know all words.
        if any(w not in recognizer.lexicon or sphinx.lookup_word(w) is None for w in utterance.words):
            continue
        samples = read_audio(utterance.audio)
        aligned = _align(sphinx, utterance, to_bytes(samples))
        graph = recognizer.compile([sentences_network([utterance.text], "said")])
        stream = recognizer.stream(graph=graph)
        events = [*stream.accept_waveform(samples), *stream.finish()]
        final = next((e for e in events if isinstance(e, Final)), None)
        if final is None or [w for w, _, _ in aligned] != [w.word for w in final.words]:
            continue
        used += 1
        starts += [w.start_s - start_s for w, (_, start_s, _) in zip(final.words, aligned, strict=True)]
        ends += [w.end_s - end_s for w, (_, _, end_s) in zip(final.words, aligned, strict=True)]
    return {
        "utterances": used,
        "words": len(starts),
        "start_median_ms": _ms(np.median(starts)),
        "start_median_absolute_ms": _ms(np.median(np.abs(starts))),
        "start_p90_absolute_ms": _ms(np.percentile(np.abs(starts), 90)),
        "end_median_ms": _ms(np.median(ends)),
        "end_median_absolute_ms": _ms(np.median(np.abs(ends))),
        "end_p90_absolute_ms": _ms(np.percentile(np.abs(ends), 90)),
    }


def _align(sphinx: Any, utterance: Utterance, pcm: bytes) -> list[tuple[str, float, float]]:
    """Words with start and end in seconds; nothing where the alignment fails."""
    sphinx.set_align_text(utterance.text)
    sphinx.start_utt()
    sphinx.process_raw(pcm, full_utt=True)
    sphinx.end_utt()
    return [
        (s.word.split("(")[0], s.start_frame * _SPHINX_FRAME_S, (s.end_frame + 1) * _SPHINX_FRAME_S)
        for s in sphinx.seg() or ()
        if not s.word.startswith(("<", "["))
    ]


def _ms(seconds: Any) -> int:
    return round(1000 * float(seconds))


if __name__ == "__main__":
    sys.exit(main())
