"""The flags that choose a model and grammars, the same for every command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_asr.decoder import GRAPH, SEARCHES
from edge_asr.errors import UsageError

if TYPE_CHECKING:
    from edge_asr.decoder.graph import Graph
    from edge_asr.recognizer import Recognizer


DEFAULT_BOOST = 2.0
"""Makes each word of a phrase about seven times likelier."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the model, of what can be said, and of how it is searched and judged."""
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
        "--search",
        choices=SEARCHES,
        help="how free text is searched: through the graph of the bundle's words, or, without a lexicon, any "
        "sequence of the model's tokens (default: as the bundle says)",
    )
    parser.add_argument(
        "--nbest",
        type=positive,
        default=1,
        metavar="N",
        help="list up to N sentences that may have been said (default 1)",
    )
    parser.add_argument(
        "--rejection",
        default="balanced",
        metavar="PRESET",
        help="how sure a sentence of a grammar must be: strict, balanced (default), lenient or off",
    )
    parser.add_argument(
        "--phrase",
        action="append",
        type=phrase,
        default=[],
        metavar="TEXT[=BOOST]",
        help="prefer this phrase in free text, each word of it by BOOST (natural log, default "
        f"{DEFAULT_BOOST:g}); may be given several times",
    )
    parser.add_argument(
        "--threads",
        type=positive,
        default=1,
        metavar="N",
        help="threads of the inference engine (default 1)",
    )


def positive(text: str) -> int:
    """Parse a positive integer."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def phrase(text: str) -> tuple[str, float]:
    """Parse ``words`` or ``words=2.5``."""
    words, equals, boost = text.partition("=")
    if not words.split():
        raise argparse.ArgumentTypeError(f"expected words before '=', got {text!r}")
    return " ".join(words.lower().split()), float(boost) if equals else DEFAULT_BOOST


def named_file(text: str) -> tuple[str, Path]:
    """Parse NAME=FILE."""
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError(f"expected NAME=FILE, got {text!r}")
    return name, Path(file)


def load(args: argparse.Namespace) -> tuple[Recognizer, Graph | None]:
    """The recognizer and the graph that the flags ask for; None is free text without a graph.

    Guessed pronunciations go to standard error.

    Raises
    ------
    GrammarError: a mistake in a grammar or a list.
    UsageError: a grammar together with a search that follows none, or lists without a grammar.
    """
    from edge_asr.decoder.grammar.word_list import read_entries
    from edge_asr.decoder.word_list import read_word_list
    from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

    if args.lists and not args.grammar:
        raise UsageError("--list fills a list of a grammar: name the grammar with --grammar FILE")
    if args.grammar and args.search not in (None, GRAPH):
        raise UsageError(
            f"--search {args.search} follows no grammar, it hears any sequence of tokens: "
            "leave out --grammar or --search"
        )
    lists = {name: read_entries(file) for name, file in args.lists}
    recognizer = Recognizer.load(args.model or DEFAULT_MODEL, threads=args.threads, search=args.search)
    guessed = [way for path in args.words for way in recognizer.add_words(read_word_list(path)).guessed]
    graph = None
    if args.grammar:
        graph = recognizer.compile(args.grammar, strict=args.strict, lists=lists)
        guessed += graph.guessed
    elif recognizer.search == GRAPH:
        graph = recognizer.word_loop()
    for way in guessed:
        print(way, file=sys.stderr)
    return recognizer, graph
