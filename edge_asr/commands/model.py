"""The flags that choose a model and grammars, the same for every command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_asr.decoder.graph import Graph
    from edge_asr.recognizer import Recognizer


DEFAULT_BOOST = 2.0
"""Makes each word of a phrase about seven times likelier."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--model``, ``--grammar``, ``--nbest``, ``--rejection`` and ``--threads``."""
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


def load(args: argparse.Namespace) -> tuple[Recognizer, Graph]:
    """The recognizer and the graph that the flags ask for."""
    from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

    recognizer = Recognizer.load(args.model or DEFAULT_MODEL, threads=args.threads)
    graph = recognizer.compile(args.grammar) if args.grammar else recognizer.word_loop()
    return recognizer, graph
