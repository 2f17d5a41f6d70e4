"""The flags that choose a model and grammars, the same for every command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge_asr.decoder import GRAPH, SEARCHES
from edge_asr.errors import UsageError

if TYPE_CHECKING:
    from edge_asr.decoder.graph import Graph
    from edge_asr.recognizer import Recognizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--model``, ``--grammar``, ``--search`` and ``--threads``."""
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
        "given; without any, free text",
    )
    parser.add_argument(
        "--search",
        choices=SEARCHES,
        help="how free text is searched: through the graph of the bundle's words, or, without a lexicon, any "
        "sequence of the model's tokens (default: as the bundle says)",
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


def load(args: argparse.Namespace) -> tuple[Recognizer, Graph | None]:
    """The recognizer and the graph that the flags ask for; None is free text without a graph.

    Raises
    ------
    UsageError: a grammar together with a search that follows none.
    """
    from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

    if args.grammar and args.search not in (None, GRAPH):
        raise UsageError(
            f"--search {args.search} follows no grammar, it hears any sequence of tokens: "
            "leave out --grammar or --search"
        )
    recognizer = Recognizer.load(args.model or DEFAULT_MODEL, threads=args.threads, search=args.search)
    if args.grammar:
        return recognizer, recognizer.compile(args.grammar)
    return recognizer, recognizer.word_loop() if recognizer.search == GRAPH else None
