"""The flags that choose a model and grammars, the same for every command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_asr.errors import UsageError

if TYPE_CHECKING:
    from edge_asr.decoder.grammar.rejects import Reject
    from edge_asr.decoder.grammar.watch import GrammarFiles
    from edge_asr.decoder.graph import Graph
    from edge_asr.recognizer import Recognizer

_MOST_REJECTS = 20
"""Mistakes that are named before speech is listened to."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--model``, ``--grammar`` and ``--threads``."""
    parser.add_argument(
        "--model",
        metavar="BUNDLE",
        help="name of a packaged model, or a bundle's directory (default: en-small)",
    )
    parser.add_argument(
        "--grammar",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="JSGF (.jsgf, .gram), sentence templates (.yaml) or plain sentences (.txt); several may be "
        "given; without any, free text. What has a mistake is left out and named",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse a grammar with any mistake instead of leaving that out"
    )
    parser.add_argument(
        "--threads",
        type=thread_count,
        default=1,
        metavar="N",
        help="threads of the inference engine (default 1)",
    )


def thread_count(text: str) -> int:
    """Parse a positive integer."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more threads, got {value}")
    return value


def load(args: argparse.Namespace) -> tuple[Recognizer, Graph]:
    """The recognizer and the graph that the flags ask for; errors as ``watch_grammars``."""
    recognizer = load_recognizer(args)
    files = watch_grammars(recognizer, args)
    return recognizer, files.graph if files else recognizer.word_loop()


def load_recognizer(args: argparse.Namespace) -> Recognizer:
    """The recognizer that ``--model`` and ``--threads`` ask for."""
    from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

    return Recognizer.load(args.model or DEFAULT_MODEL, threads=args.threads)


def watch_grammars(recognizer: Recognizer, args: argparse.Namespace) -> GrammarFiles | None:
    """The files of ``--grammar``, compiled; None without any. Names on standard error what is left out.

    Raises
    ------
    UsageError: a file is missing.
    GrammarError: nothing is left, or with ``--strict`` anything is wrong.
    """
    from edge_asr.decoder.grammar.watch import GrammarFiles

    if not args.grammar:
        return None
    for file in args.grammar:
        if not file.exists():
            raise UsageError(f"{file}: there is no such grammar")
    files = GrammarFiles(args.grammar, recognizer.compile, strict=args.strict)
    print_rejects(files.rejects)
    return files


def print_rejects(rejects: Sequence[Reject]) -> None:
    """Name on standard error what was left out of grammars."""
    for reject in rejects[:_MOST_REJECTS]:
        print(f"edge-asr: {reject}", file=sys.stderr, flush=True)
    if len(rejects) > _MOST_REJECTS:
        more = len(rejects) - _MOST_REJECTS
        print(f"edge-asr: {more:,} more: edge-asr grammar check names all", file=sys.stderr, flush=True)
