"""The flags that choose a model and grammars, the same for every command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge_asr.errors import UsageError

if TYPE_CHECKING:
    from edge_asr.decoder.graph import Graph
    from edge_asr.recognizer import Recognizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--model``, ``--grammar``, ``--list`` and ``--threads``."""
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
        help="JSGF (.jsgf, .gram), sentence templates or a home for Home Assistant's sentences (.yaml), or "
        "plain sentences (.txt); several may be given; without any, free text",
    )
    parser.add_argument(
        "--list",
        action="append",
        type=named_file,
        default=[],
        metavar="NAME=FILE",
        dest="lists",
        help="entries of a grammar's run-time list, one a line, perhaps with a tab and the slot's value",
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


def named_file(text: str) -> tuple[str, Path]:
    """Parse NAME=FILE."""
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError(f"expected NAME=FILE, got {text!r}")
    return name, Path(file)


def load(args: argparse.Namespace) -> tuple[Recognizer, Graph]:
    """The recognizer and the graph that the flags ask for.

    Raises
    ------
    GrammarError: a mistake in a grammar or a list.
    UsageError: lists without a grammar.
    """
    from edge_asr.decoder.grammar.word_list import read_entries
    from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

    if args.lists and not args.grammar:
        raise UsageError("--list fills a list of a grammar: name the grammar with --grammar FILE")
    lists = {name: read_entries(file) for name, file in args.lists}
    recognizer = Recognizer.load(args.model or DEFAULT_MODEL, threads=args.threads)
    graph = recognizer.compile(args.grammar, lists=lists) if args.grammar else recognizer.word_loop()
    return recognizer, graph
