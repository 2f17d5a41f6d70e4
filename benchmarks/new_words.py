"""``python -m benchmarks.new_words``: words at run time, heard in free text, guessed and added.

All words of LibriSpeech's dev speakers that free text lacks are added at once, most of them guessed: how
often each is then heard where it was said and where it was not, what that does to the other words, what
happens if many more are added that nobody says, and what it costs. ``python -m export g2p-verify`` tells how
good the guesses are.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import jiwer
from tqdm import tqdm

from benchmarks import corpus
from benchmarks.result import write_result
from edge_asr.commands.transcribe import transcribe
from edge_asr.decoder.g2p import G2p
from edge_asr.errors import UsageError
from edge_asr.recognizer import DEFAULT_MODEL, NEW_WORD_LOG_PROB, Recognizer
from export.corpus import Utterance
from export.dictionary import Dictionary
from export.g2p.convert import held_out_errors

SET = "librispeech"
_TIMED_WORDS = 1000
_ADDED_AT_ONCE = 100
_BYSTANDERS = 200
_RUNS = 5


def main() -> int:
    """Measure and write ``results/new-words.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundle (default %(default)s)")
    parser.add_argument(
        "--log-probs",
        type=float,
        nargs="+",
        default=[NEW_WORD_LOG_PROB],
        metavar="LN",
        help="how likely the new words are (default %(default)s)",
    )
    corpus.add_arguments(parser)
    args = parser.parse_args()
    utterances = corpus.dev_set(args, SET)
    recognizer = Recognizer.load(args.model)
    if recognizer.g2p is None:
        raise UsageError(f"{args.model}: this bundle brings nothing to guess pronunciations with")
    known = {output.word for output in recognizer.word_loop().outputs}
    new = sorted({word for utterance in utterances for word in utterance.words} - known)
    figures: dict[str, Any] = {
        "model": recognizer.bundle.config.name,
        "new_words": len(new),
        "guessed": len(recognizer.add_words(new).guessed),
        "guessing": guessing(recognizer.g2p),
        "without": heard(Recognizer.load(args.model), utterances, new),
    }
    for log_prob in args.log_probs:
        fresh = Recognizer.load(args.model)
        fresh.add_words(new, log_prob=log_prob)
        figures[f"added at {log_prob:g}"] = heard(fresh, utterances, new)
    fresh = Recognizer.load(args.model)
    idle = bystanders(known | set(new))
    fresh.add_words([*new, *idle])
    figures[f"and {len(idle)} that nobody says"] = heard(fresh, utterances, [*new, *idle])
    figures["cost"] = cost(args.model)
    path = write_result("new-words", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def guessing(g2p: G2p) -> dict[str, Any]:
    """What the guesser got wrong of held-out words when it was made (g2p-convert), and its size."""
    errors = held_out_errors(g2p)
    return {
        "held_out_words": errors.words,
        "word_error": round(errors.word_error, 4),
        "phone_error": round(errors.phone_error, 4),
        "bytes": g2p.path.stat().st_size,
    }


def heard(recognizer: Recognizer, utterances: Sequence[Utterance], new: Sequence[str]) -> dict[str, Any]:
    """Word errors of free text, and how often the new words came out."""
    graph, said, found = recognizer.word_loop(), [], []
    for utterance in tqdm(utterances, desc="free text", disable=None):
        said.append(utterance.text)
        found.append(transcribe(recognizer, graph, utterance.audio)["text"])
    times_said = times_found = times_invented = 0
    for reference, hypothesis in zip(said, found, strict=True):
        there = Counter(word for word in reference.split() if word in new)
        came = Counter(word for word in hypothesis.split() if word in new)
        times_said += there.total()
        times_found += (there & came).total()
        times_invented += (came - there).total()
    return {
        "wer": round(jiwer.wer(said, found), 4),
        "said": times_said,
        "found": times_found,
        "invented": times_invented,
    }


def bystanders(others: set[str]) -> list[str]:
    """Possessives of the dictionary's words beside those, evenly spread: its words are all known."""
    words = [f"{word}'s" for word in Dictionary.load().words() if word.isalpha()]
    words = [word for word in words if word not in others]
    return words[:: len(words) // _BYSTANDERS][:_BYSTANDERS]


def cost(model: str) -> dict[str, float]:
    """Milliseconds of one processor: medians of five runs."""
    recognizer = ready(model)
    g2p, lexicon = recognizer.g2p, recognizer.lexicon
    assert g2p is not None
    # Words of the lexicon with one letter gone are nearly all unknown, and of usual length.
    shortened = [word[:2] + word[3:] for word in lexicon.words() if len(word) > 3]
    words = [word for word in dict.fromkeys(shortened) if word not in lexicon and word.strip("'")]
    words = words[:: len(words) // _TIMED_WORDS][:_TIMED_WORDS]
    some = words[:: len(words) // _ADDED_AT_ONCE][:_ADDED_AT_ONCE]
    together = [timed(lambda: g2p.pronounce_all(words)) for _ in range(_RUNS)]
    alone = [timed(lambda: [g2p.pronounce(word) for word in some]) for _ in range(_RUNS)]
    added = []
    for _ in range(_RUNS):
        fresh = ready(model)
        added.append(timed(lambda fresh=fresh: fresh.add_words(some)))  # type: ignore[misc]
    return {
        "words": len(words),
        "guess_ms_per_word": round(median(together) / len(words), 4),
        "guess_ms_per_word_alone": round(median(alone) / len(some), 4),
        "added_words": len(some),
        "add_ms": round(median(added), 1),
    }


def ready(model: str) -> Recognizer:
    """A recognizer that has loaded all that it loads on first use."""
    recognizer = Recognizer.load(model)
    recognizer.word_loop()
    recognizer.add_words(["qzxvbn"])
    return recognizer


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of processor time."""
    started = time.process_time()
    work()
    return 1000 * (time.process_time() - started)


if __name__ == "__main__":
    sys.exit(main())
