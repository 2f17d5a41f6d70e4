"""The flags that choose a model and grammars, the same for every command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_asr.decoder.graph import Graph
    from edge_asr.recognizer import Recognizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--model``, ``--grammar``, ``--words``, ``--strict`` and ``--threads``."""
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
        "--words",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="words to know as well, one a line, alone or with its phones: 'lumen' or 'lumen L UW M AH N'",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse grammars with unknown words instead of guessing how these are said",
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
    """The recognizer and the graph that the flags ask for; guessed pronunciations go to standard error."""
    from edge_asr.decoder.word_list import read_word_list
    from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

    recognizer = Recognizer.load(args.model or DEFAULT_MODEL, threads=args.threads)
    guessed = [way for path in args.words for way in recognizer.add_words(read_word_list(path)).guessed]
    if args.grammar:
        graph = recognizer.compile(args.grammar, strict=args.strict)
        guessed += graph.guessed
    else:
        graph = recognizer.word_loop()
    for way in guessed:
        print(way, file=sys.stderr)
    return recognizer, graph
