"""``python -m benchmarks.first_light``: whether a model hears at all, and what it costs.

Phone error rate; closed choice among all dev sentences of LibriSpeech; speed, memory and start-up. Words
and commands are measured by ``benchmarks.accuracy``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from benchmarks import corpus
from benchmarks.result import write_result
from edge_asr.acoustic import create_engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.audio.file import read_audio
from edge_asr.bundle import TOKENS, Bundle
from edge_asr.commands.transcribe import transcribe
from edge_asr.decoder.compile import compile_network
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.features.cmvn import Cmvn
from edge_asr.features.mfcc import Mfcc
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
from edge_asr.stage import Chain
from export.corpus import Utterance, read_set
from export.criterion.phone_lm import phone_ngram
from export.dictionary import Dictionary
from export.learnset import phone_labels
from export.phone_loop import bigram_loop
from export.score import collapse

PHONE_SETS = ("librispeech", "commonvoice", "speechocean762", "grid")


def main() -> int:
    """Measure everything and write ``results/first-light.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundle (default %(default)s)")
    corpus.add_arguments(parser)
    args = parser.parse_args()
    recognizer = Recognizer.load(args.model)
    figures: dict[str, Any] = {
        "model": recognizer.bundle.config.name,
        "limit": args.limit,
        "phone_error_rate": {name: phone_error_rate(args, name) for name in PHONE_SETS},
        "closed_choice_librispeech": closed_choice(recognizer, args),
        "transcribe": footprint(args, corpus.dev_set(args, "librispeech")[0]),
    }
    path = write_result("first-light", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def phone_error_rate(args: argparse.Namespace, name: str) -> dict[str, float]:
    """Phone error rates of the streamed, quantized model against dictionary pronunciations.

    ``greedy`` takes the best token of each frame; ``bigram`` searches all phone sequences, weighed by a
    phone bigram of the training text, which is what a sequence criterion trains for.
    """
    bundle = Bundle.load(args.model)
    dictionary, config = Dictionary.load(), bundle.config
    model = AcousticModel(create_engine("onnx", bundle), config.acoustic)
    stages = Chain([Mfcc(config.mfcc), Cmvn(config.cmvn), model])
    search = Search(
        phone_loop(args, Tokens.load(bundle.path(TOKENS)), dictionary),
        token_offsets=config.decoder.token_offsets,
    )
    errors = {"greedy": 0, "bigram": 0}
    phones = 0
    for utterance in tqdm(corpus.dev_set(args, name), desc=f"phones {name}", disable=None):
        labels = phone_labels(utterance, dictionary)
        if labels is None:
            continue
        stages.reset()
        search.reset()
        log_probs = np.concatenate([stages.push(read_audio(utterance.audio)), stages.flush()])
        search.push(log_probs)
        errors["greedy"] += Levenshtein.distance(collapse(log_probs.argmax(axis=1)), labels)
        heard = [token for hit in search.finish().words for token in hit.phones]
        errors["bigram"] += Levenshtein.distance(heard, labels)
        phones += len(labels)
    return {kind: round(count / phones, 4) for kind, count in errors.items()}


def phone_loop(args: argparse.Namespace, tokens: Tokens, dictionary: Dictionary) -> Graph:
    """The graph of all phone sequences, weighed by a bigram of LibriSpeech's training sentences."""
    sequences = [phone_labels(u, dictionary) or () for u in read_set(args.data, "librispeech", "train")]
    return bigram_loop(np.log(phone_ngram(sequences, tokens=len(tokens), order=2)), tokens)


def closed_choice(recognizer: Recognizer, args: argparse.Namespace) -> dict[str, Any]:
    """Each dev utterance of LibriSpeech against a grammar of all dev sentences of the set.

    Sentences with words that the dictionary lacks get guessed pronunciations, as a user's lexicon would.
    """
    utterances = corpus.dev_set(args, "librispeech")
    everything = read_set(args.data, "librispeech", "dev")
    dictionary = Dictionary.load()
    missing = {w for u in everything for w in u.words if w not in recognizer.lexicon}
    lines = [f"{w} {' '.join(p)}" for w in sorted(missing) if (p := dictionary.pronounce(w))]
    lexicon = recognizer.lexicon.extended("\n".join(lines), source="guessed")
    graph = compile_network(sentences_network([u.text for u in everything], "dev sentences"), lexicon)
    right = sum(
        transcribe(recognizer, graph, u.audio)["text"] == u.text
        for u in tqdm(utterances, desc="closed choice", disable=None)
    )
    return {"sentences": len(everything), "utterances": len(utterances), "right": right / len(utterances)}


def footprint(args: argparse.Namespace, utterance: Utterance) -> dict[str, Any]:
    """Speed, memory and start-up of the command line, as its user meets them; median of five runs."""
    sample = next(iter(sorted((Path(__file__).parents[1] / "edge_asr" / "samples").glob("*.flac"))))
    grammar = Path(__file__).parents[1] / "edge_asr" / "samples" / "home.yaml"
    command = [sys.executable, "-m", "edge_asr.cli", "transcribe", "--json", "--model", args.model]
    return {
        "free, long recording": _median_run([*command, str(utterance.audio)]),
        "grammar, long recording": _median_run([*command, "--grammar", str(grammar), str(utterance.audio)]),
        "free, sample": _median_run([*command, str(sample)]),
        "grammar, sample": _median_run([*command, "--grammar", str(grammar), str(sample)]),
    }


def _median_run(command: list[str]) -> dict[str, float]:
    """Medians over five runs of a whole process, and the largest peak memory."""
    runs = []
    for _ in range(5):
        wrapped = [sys.executable, "-m", "benchmarks.process", *command]
        report = json.loads(subprocess.run(wrapped, capture_output=True, text=True, check=True).stdout)
        result = json.loads(report["first_line"])
        factor = result["wall_s"] / result["audio_s"]
        runs.append((factor, report["first_line_s"], report["peak_memory_mb"], result["audio_s"]))
    factors, first_s, memory_mb, audio_s = zip(*runs, strict=True)
    return {
        "audio_s": audio_s[0],
        "real_time_factor": round(float(np.median(factors)), 4),
        "first_result_s": round(float(np.median(first_s)), 3),
        "peak_memory_mb": round(max(memory_mb), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
