"""``python -m benchmarks.fuzz_grammars``: ten thousand wild grammars are read, compiled and searched.

Files of homes, run-time lists, words and language models are among them. Whatever is given, the outcome
must be a graph or an error of the package, soon and in bounded memory. Every grammar has a time limit of
processor time; workers are processes of their own, so that one that dies is told from one that raises.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.result import write_result
from benchmarks.wild_grammars import wild_grammar
from edge_asr.bundle import LEXICON, TOKENS, Bundle
from edge_asr.decoder.compile import compile_networks, compile_word_loop
from edge_asr.decoder.compiler import Compiler
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.jsgf import parse_jsgf
from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.word_list import read_entries
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.open_words import OpenWords
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.vocabulary import find_ways, wanted_words, with_ways
from edge_asr.decoder.word_list import read_word_list
from edge_asr.errors import EdgeAsrError, GrammarError
from edge_asr.understand.check import check_grammars
from export.lm.arpa import read_arpa
from export.lm.automaton import free_text_graph

LIMIT_S = 20.0
"""Processor time for one grammar, of which a search takes next to nothing."""
_FRAMES = 20
_BATCH = 250


class TooSlowError(Exception):
    """A grammar took longer than LIMIT_S."""


def main() -> int:
    """Run all and write ``results/fuzz-grammars.json``; 1 where anything but an EdgeAsrError was raised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000, help="grammars (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default %(default)s)")
    parser.add_argument(
        "--worker", action="store_true", help="print one JSON line per grammar and write nothing"
    )
    args = parser.parse_args()
    numbers = range(args.first, args.first + args.count)
    if args.worker:
        for outcome in try_grammars(numbers):
            print(json.dumps(outcome), flush=True)
        return 0
    outcomes = list(tqdm(_in_batches(numbers), total=args.count, desc="grammars", disable=None))
    figures = summarise(outcomes)
    path = write_result("fuzz-grammars", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 1 if figures["crashes"] else 0


def try_grammars(numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Try the grammars of these numbers; yield what came of each, as plain values."""
    bundle = Bundle.load("en-tiny")
    tokens = Tokens.load(bundle.path(TOKENS))
    lexicon = Lexicon.load(bundle.path(LEXICON), tokens)
    with TemporaryDirectory() as folder:
        for number in numbers:
            wild = wild_grammar(number)
            path = Path(folder) / wild.name
            path.write_bytes(wild.data)
            started_s = time.process_time()
            try:
                with _time_limit(LIMIT_S):
                    outcome, rejects = _try(path, lexicon, number)
            except Exception as error:
                outcome, rejects = f"{type(error).__name__}: {error}"[:200], 0
            path.unlink()
            yield {
                "number": number,
                "kind": f"{wild.kind} {path.suffix}",
                "outcome": outcome,
                "rejects": rejects,
                "cpu_s": round(time.process_time() - started_s, 3),
                "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }


def _try(path: Path, lexicon: Lexicon, number: int) -> tuple[str, int]:
    """Read, compile and search as a recognizer does."""
    rejects: list[Reject] = []
    try:
        graph = (_READERS.get(path.suffix) or _grammar)(path, lexicon, rejects, number)
    except EdgeAsrError as error:
        _ = str(error)
        return "refused", len(rejects)
    rng = np.random.default_rng(number)
    search = NgramSearch(graph) if graph.lm else Search(graph)
    logits = 3 * rng.standard_normal((_FRAMES, len(graph.tokens)))
    search.push((logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32))
    search.best()
    search.finish()
    return "compiled", len(rejects)


def _grammar(path: Path, lexicon: Lexicon, rejects: list[Reject], number: int) -> Graph:
    """Of a grammar; with every third number strictly or by a check, too."""
    if number % 3 == 0:
        check_grammars([path], lexicon, lambda: None)
    if number % 3 == 1:
        try:
            load_grammar(path)
        except GrammarError as error:
            _ = str(error)
    return compile_networks([load_grammar(path, rejects)], lexicon, rejects)


def _list(path: Path, lexicon: Lexicon, rejects: list[Reject], number: int) -> Graph:
    """Of a grammar with the file's entries in two places."""
    calls = "#JSGF V1.0; grammar g; public <a> = call <lists.x> {who} | turn on <lists.x>;"
    compiler = Compiler(lambda: compile_word_loop([("radio", 0.0)], lexicon))
    loaded = compiler.compile([parse_jsgf(calls)], lexicon, lambda: None, OpenWords())
    entries = read_entries(path, Mistakes(rejects if number % 3 else None))
    return compiler.join(loaded, {"x": entries}, lexicon, lambda: None, rejects if number % 3 else None)


def _words(path: Path, lexicon: Lexicon, _: list[Reject], __: int) -> Graph:
    """Of all words of the file, each as often."""
    wanted = wanted_words(read_word_list(path))
    lexicon = with_ways(lexicon, find_ways(wanted, lexicon, lambda: None))
    return compile_word_loop([(word, 0.0) for word in wanted], lexicon)


def _lm(path: Path, lexicon: Lexicon, _: list[Reject], __: int) -> Graph:
    return free_text_graph(read_arpa(path), lexicon)


_READERS = {".list": _list, ".words": _words, ".arpa": _lm}
"""What makes a graph of a file that is no grammar."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlowError within after this much processor time; only in the main thread."""

    def stop(*_: object) -> None:
        raise TooSlowError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _in_batches(numbers: range) -> Iterator[dict[str, Any]]:
    """The same as ``try_grammars``, but in processes that may die."""
    at = numbers.start
    while at < numbers.stop:
        count = min(_BATCH, numbers.stop - at)
        worker = [sys.executable, "-m", "benchmarks.fuzz_grammars", "--worker"]
        with subprocess.Popen(
            [*worker, "--first", str(at), "--count", str(count)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            done = 0
            for line in process.stdout:
                done += 1
                yield json.loads(line)
        if done < count:
            kind = wild_grammar(at + done).kind
            died = f"the process died with {process.returncode}"
            yield {
                "number": at + done,
                "kind": kind,
                "outcome": died,
                "rejects": 0,
                "cpu_s": 0.0,
                "peak_memory_mb": 0.0,
            }
            done += 1
        at += done


def summarise(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of all outcomes."""
    crashes = [o for o in outcomes if o["outcome"] not in ("compiled", "refused")]
    slowest = sorted(outcomes, key=lambda o: -float(o["cpu_s"]))[:5]
    kinds = Counter(f"{o['kind']}: {o['outcome']}" for o in outcomes if o not in crashes)
    return {
        "grammars": len(outcomes),
        "outcomes": dict(sorted(kinds.items())),
        "with_rejects_and_usable": sum(bool(o["rejects"]) and o["outcome"] == "compiled" for o in outcomes),
        "crashes": crashes,
        "slowest": [{key: o[key] for key in ("number", "kind", "cpu_s")} for o in slowest],
        "median_cpu_s": float(np.median([o["cpu_s"] for o in outcomes])),
        "peak_memory_mb": max(o["peak_memory_mb"] for o in outcomes),
        "limit_s": LIMIT_S,
    }


if __name__ == "__main__":
    sys.exit(main())
