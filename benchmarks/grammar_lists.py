"""``python -m benchmarks.grammar_lists``: how fast lists join, and what open slots and whole homes cost.

Times are CPU time of one thread, the best of several runs, with the lexicon and the modules loaded.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.result import write_result
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.builtin import BUILTINS, builtin_network
from edge_asr.decoder.grammar.census import count_sentences
from edge_asr.decoder.grammar.home_assistant import home_grammar, read_home_file
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.sentences import sentences_network
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.network import WordNetwork
from edge_asr.decoder.open_words import OpenWords, open_words_graph
from edge_asr.errors import MissingExtraError
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

GRAMMARS = Path(__file__).parent / "grammars"
NAMES = 1_000
SENTENCES = 10_000
VOCABULARY = 1_500
_CALL = """#JSGF V1.0; grammar call;
import <lists.contact>;
public <Call> = (call | dial) <contact>{who} [please];
"""
_NOTE = """#JSGF V1.0; grammar note;
import <edge_asr.anything>;
public <Note> = take a note <anything>{text} | my name is <anything>{name};
"""

Made = TypeVar("Made")


def main() -> int:
    """Measure and write ``results/grammar-lists.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundle (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    figures = measure(Recognizer.load(args.model), repeats=args.repeats, seed=args.seed)
    path = write_result("grammar-lists", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def measure(recognizer: Recognizer, *, repeats: int, seed: int) -> dict[str, Any]:
    """All figures; times in milliseconds of CPU."""
    rng = random.Random(seed)
    words = [word for word in recognizer.lexicon.words() if word.isalpha()]
    names = list({f"{rng.choice(words)} {rng.choice(words)}": None for _ in range(2 * NAMES)})[:NAMES]
    vocabulary = rng.sample(words, VOCABULARY)
    lines = [" ".join(rng.choices(vocabulary, k=rng.randint(3, 8))) for _ in range(SENTENCES)]
    large = sentences_network(lines, "large")
    home = load_grammar(Path(__file__).parents[1] / "edge_asr" / "samples" / "home.yaml")
    call = parse_jsgf(_CALL, "call")
    return {
        "large_grammar": {
            "sentences": SENTENCES,
            "read_and_compile_ms": best_ms(
                lambda: recognizer.compile([sentences_network(lines, "large")]), repeats
            )[0],
        },
        "join": {
            "names": NAMES,
            "home_sample": joining(recognizer, [home, call], names, repeats),
            "large_grammar": joining(recognizer, [large, call], names, repeats),
        },
        "open_slot": opening(recognizer, repeats),
        "home_assistant": {
            kind: housing(recognizer, kind, repeats) for kind in ("all", "spoken", "all with open slots")
        },
        "built_in_arcs": {name: len(builtin_network(name).arcs) for name in BUILTINS},
    }


def joining(
    recognizer: Recognizer, grammars: list[WordNetwork], names: list[str], repeats: int
) -> dict[str, Any]:
    """A list of names joins a loaded grammar, and the same compiled from scratch."""
    loaded = recognizer.compile(grammars)
    join_ms, joined = best_ms(lambda: recognizer.join(loaded, {"contact": names}), repeats)
    whole_ms, _ = best_ms(lambda: recognizer.compile(grammars, lists={"contact": names}), repeats)
    return {"join_ms": join_ms, "from_scratch_ms": whole_ms, **size(joined)}


def opening(recognizer: Recognizer, repeats: int) -> dict[str, Any]:
    """What the first grammar with an open slot pays, and every one."""
    loop = recognizer.word_loop()
    open_words = OpenWords()
    first_ms, block = best_ms(lambda: open_words_graph(loop, recognizer.lexicon, open_words), repeats)
    note = parse_jsgf(_NOTE, "note")
    each_ms, graph = best_ms(lambda: recognizer.compile([note]), repeats)
    return {
        "words": open_words.words,
        "word_penalty": open_words.word_penalty,
        "first_ms": first_ms,
        "one_slot": size(block),
        "grammar_of_two_slots_ms": each_ms,
        "grammar_of_two_slots": size(graph),
    }


def housing(recognizer: Recognizer, kind: str, repeats: int) -> dict[str, Any] | None:
    """Home Assistant's sentences for ten areas and forty entities; None without the package."""
    home = replace(
        read_home_file(GRAMMARS / "home-of-40.yaml"),
        sentences=kind.split()[0],
        open_slots=kind.endswith("open slots"),
    )
    try:
        read_ms, grammar = best_ms(lambda: home_grammar(home), repeats)
    except MissingExtraError as error:
        print(error, file=sys.stderr)
        return None
    compile_ms, graph = best_ms(lambda: recognizer.compile([grammar.network]), repeats)
    return {
        "areas": len(home.areas),
        "entities": len(home.entities),
        "templates": grammar.sentences,
        "left_out": grammar.skipped,
        "sentences": float(f"{count_sentences(grammar.network):.2g}"),
        "read_ms": read_ms,
        "compile_ms": compile_ms,
        **size(graph),
    }


def size(graph: Graph) -> dict[str, Any]:
    """How large a graph is."""
    return {"states": graph.states, "arcs": graph.arcs, "megabytes": round(graph.nbytes / 1e6, 1)}


def best_ms(make: Callable[[], Made], repeats: int) -> tuple[float, Made]:
    """Least CPU time of some runs in milliseconds, and what the last one made."""
    least = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        made = make()
        least = min(least, time.process_time() - started)
    return round(1000 * least, 1), made


if __name__ == "__main__":
    sys.exit(main())
