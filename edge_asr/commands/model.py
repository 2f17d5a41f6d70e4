"""The flags that choose a model and grammars, the same for every command."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_asr.acoustic import ENGINES
from edge_asr.decoder import GRAPH, SEARCHES
from edge_asr.errors import UsageError

if TYPE_CHECKING:
    from edge_asr.decoder.grammar.rejects import Reject
    from edge_asr.decoder.grammar.watch import GrammarFiles
    from edge_asr.decoder.graph import Graph
    from edge_asr.decoder.word_report import SpokenWord
    from edge_asr.recognizer import Recognizer

_MOST_REJECTS = 20
"""Mistakes that are named before speech is listened to."""


DEFAULT_BOOST = 2.0
"""Makes each word of a phrase about seven times likelier."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the model, of what can be said, and of how it is searched and judged."""
    parser.add_argument(
        "--model",
        metavar="BUNDLE",
        help="name of a packaged model, or a bundle's directory (default: en-small)",
    )
    add_trust_arguments(parser)
    parser.add_argument(
        "--grammar",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="JSGF (.jsgf, .gram), sentence templates or a home for Home Assistant's sentences (.yaml), or "
        "plain sentences (.txt); several may be given; without any, free text. What has a mistake is left "
        "out and named",
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
        help="refuse grammars with a mistake instead of leaving it out, or with unknown words instead of "
        "guessing how these are said",
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
        "--no-rescore",
        dest="rescore",
        action="store_false",
        help="do not let the bundle's neural language model, if it brings one, have the last word on free "
        "text: less is computed, and words are stable sooner",
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
        "--engine",
        metavar="NAME",
        help=f"inference engine: {', '.join(ENGINES)}; onnx also with an execution provider, as onnx:cuda or "
        "onnx:tensorrt (default: the first that is installed and that the bundle has a file for)",
    )
    parser.add_argument(
        "--threads",
        type=positive,
        default=1,
        metavar="N",
        help="threads of the inference engine (default 1)",
    )


def add_trust_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that ask for a signature of the model."""
    parser.add_argument(
        "--require-signature",
        action="store_true",
        default=None,
        help="refuse a model that no trusted key signed (also: EDGE_ASR_REQUIRE_SIGNATURE=1)",
    )
    parser.add_argument(
        "--trust",
        type=Path,
        metavar="FILE",
        help="trusted keys, 'NAME PUBLIC_KEY' a line; requires a signature by one of them (default: "
        "$EDGE_ASR_TRUSTED_KEYS, or edge-asr/trusted_keys in $XDG_CONFIG_HOME or ~/.config)",
    )


def positive(text: str) -> int:
    """Parse a positive integer."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got {text!r}")
    return int(text)


def phrase(text: str) -> tuple[str, float]:
    """Parse ``words`` or ``words=2.5``."""
    words, equals, boost = text.partition("=")
    if not words.split():
        raise argparse.ArgumentTypeError(f"expected words before '=', got {text!r}")
    try:
        return " ".join(words.lower().split()), float(boost) if equals else DEFAULT_BOOST
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number after '=', got {boost!r}") from None


def named_file(text: str) -> tuple[str, Path]:
    """Parse NAME=FILE."""
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError(f"expected NAME=FILE, got {text!r}")
    return name, Path(file)


def load(args: argparse.Namespace) -> tuple[Recognizer, Graph | None]:
    """The recognizer and the graph that the flags ask for; None is free text without a graph.

    Raises
    ------
    UsageError: as ``load_recognizer`` and ``watch_grammars``.
    GrammarError: as ``watch_grammars``.
    """
    recognizer = load_recognizer(args)
    return recognizer, heard(recognizer, watch_grammars(recognizer, args), rescore=args.rescore)


def load_recognizer(args: argparse.Namespace) -> Recognizer:
    """The recognizer that the flags ask for, with the words of ``--words``.

    Raises
    ------
    UsageError: a grammar and a search that follows none, lists without a grammar, or one list twice.
    """
    from edge_asr.decoder.word_list import read_word_list
    from edge_asr.recognizer import DEFAULT_MODEL, Recognizer

    if args.lists and not args.grammar:
        raise UsageError("--list fills a list of a grammar: name the grammar with --grammar FILE")
    twice = [name for name, count in Counter(name for name, _ in args.lists).items() if count > 1]
    if twice:
        raise UsageError(f"--list {twice[0]} was given twice: put all its entries into one file")
    if args.grammar and args.search not in (None, GRAPH):
        raise UsageError(
            f"--search {args.search} follows no grammar, it hears any sequence of tokens: "
            "leave out --grammar or --search"
        )
    recognizer = Recognizer.load(
        args.model or DEFAULT_MODEL,
        engine=args.engine,
        threads=args.threads,
        search=args.search,
        require_signature=args.require_signature,
        trust=args.trust,
    )
    for path in args.words:
        try:
            print_guesses(recognizer.add_words(read_word_list(path)).guessed)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error
    return recognizer


def watch_grammars(recognizer: Recognizer, args: argparse.Namespace) -> GrammarFiles | None:
    """The files of ``--grammar``, compiled with ``--list``; None without any. All of them are watched.

    What is left out, which lists are empty and which pronunciations are guessed goes to standard error.

    Raises
    ------
    UsageError: a grammar is missing.
    GrammarError: nothing is left, a list cannot be read, or with ``--strict`` anything is wrong.
    """
    from edge_asr.decoder.grammar.rejects import Mistakes
    from edge_asr.decoder.grammar.watch import GrammarFiles
    from edge_asr.decoder.grammar.word_list import read_entries

    if not args.grammar:
        return None
    for file in args.grammar:
        if not file.exists():
            raise UsageError(f"{file}: there is no such grammar")

    def compile_files(paths: Sequence[Path], rejects: list[Reject] | None) -> Graph:
        mistakes = Mistakes(rejects)
        lists = {name: read_entries(file, mistakes) for name, file in args.lists}
        return recognizer.compile(paths, rejects, strict=args.strict, lists=lists)

    lists = [file for _, file in args.lists]
    files = GrammarFiles(args.grammar, compile_files, also=lists, strict=args.strict)
    print_rejects(files.rejects)
    print_left_over(files.graph)
    return files


def heard(recognizer: Recognizer, files: GrammarFiles | None, *, rescore: bool) -> Graph | None:
    """The graph of the grammars, or that of free text; None is free text without a graph.

    Whatever the streams will need is loaded then.
    """
    if files is not None:
        return files.graph
    if recognizer.search != GRAPH:
        return None
    if rescore:
        recognizer.rescorer()
    return recognizer.word_loop()


def print_left_over(graph: Graph) -> None:
    """Name on standard error the guessed pronunciations of a grammar, and its lists without entries."""
    print_guesses(graph.guessed)
    for name in sorted({hole.placeholder.list for hole in graph.holes}):
        message = (
            f"the list {name!r} has no entries, so that nothing can be said in its place: --list {name}=FILE"
        )
        print(f"edge-asr: {message}", file=sys.stderr, flush=True)


def print_guesses(guessed: Iterable[SpokenWord]) -> None:
    """Name on standard error the words whose pronunciation was guessed."""
    for way in guessed:
        print(way, file=sys.stderr)


def print_rejects(rejects: Sequence[Reject]) -> None:
    """Name on standard error what was left out of grammars."""
    for reject in rejects[:_MOST_REJECTS]:
        print(f"edge-asr: {reject}", file=sys.stderr, flush=True)
    if len(rejects) > _MOST_REJECTS:
        more = len(rejects) - _MOST_REJECTS
        print(f"edge-asr: {more:,} more: edge-asr grammar check names all", file=sys.stderr, flush=True)
