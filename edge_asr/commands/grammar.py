"""``edge-asr grammar check FILE...``: what a grammar holds, what is wrong with it, what sounds the same."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_asr.errors import GrammarError

if TYPE_CHECKING:
    from edge_asr.decoder.lexicon import Pronunciation
    from edge_asr.understand.check import Ambiguity, FileReport, Report, Said

HELP = "Check grammar files before they are used."
_EXAMPLES = {
    "two meanings": "the same words with two meanings: only one of them is ever heard",
    "sound alike": "other words that sound the same: only one of them is ever heard",
    "repeated": "written twice, which does no harm",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The one subcommand and its flags."""
    commands = parser.add_subparsers(dest="grammar_command", required=True, metavar="COMMAND")
    text = "Print sentences, words, mistakes by line and ambiguities; files are checked as if used together."
    check = commands.add_parser("check", help=text, description=text)
    check.add_argument(
        "--model", metavar="BUNDLE", help="whose words may be used: a name or a directory (default: en-small)"
    )
    check.add_argument("--json", action="store_true", help="one JSON object")
    check.add_argument(
        "--strict", action="store_true", help="exit with 2 if there is any mistake or unknown word"
    )
    check.add_argument("--words", action="store_true", help="list the pronunciations of all words")
    check.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="JSGF, sentence templates or plain sentences"
    )


def run(args: argparse.Namespace) -> int:
    """Print the report; 2 where nothing is left of a file, or with ``--strict`` anything is wrong."""
    from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
    from edge_asr.understand.check import check_grammars

    recognizer = Recognizer.load(args.model or DEFAULT_MODEL)
    lexicon = recognizer.lexicon
    report = check_grammars(args.files, lexicon, recognizer.guesser(strict=args.strict))
    names = lexicon.tokens.names
    if args.json:
        print(json.dumps(_as_json(report, names, words=args.words), ensure_ascii=False))
    else:
        print("\n".join(_describe(report, names, words=args.words)))
    refused = not report.usable or (args.strict and report.rejects)
    return GrammarError.exit_code if refused else 0


def _describe(report: Report, names: tuple[str, ...], *, words: bool) -> Iterator[str]:
    """The report for people."""
    for file in report.files:
        yield from _describe_file(file)
    yield "heard as one grammar"
    total = sum(map(len, report.pronunciations.values()))
    yield _row("pronunciations", f"{total:,} of {len(report.pronunciations):,} words")
    if words:
        width = max(map(len, report.pronunciations), default=0)
        for word, pronunciations in report.pronunciations.items():
            for phones in pronunciations:
                yield f"    {word:<{width}}  {_spelled(phones, names)}"
    if report.guessed:
        yield _row("guessed", f"{len(report.guessed):,} pronunciations")
        for way in report.guessed:
            yield f"    {way}"
    yield _row("search graph", f"{report.graph_bytes / 1e3:,.0f} kB")
    harmful = sum(not ambiguity.harmless for ambiguity in report.ambiguities)
    harmless = len(report.ambiguities) - harmful
    more = f", and {harmless} that do no harm" if harmless else ""
    unseen = " (there are too many sentences to compare all)" if report.cut_short else ""
    yield _row("ambiguities", f"{harmful or 'none'}{more}{unseen}")
    for kind, explanation in _EXAMPLES.items():
        examples = [ambiguity for ambiguity in report.ambiguities if ambiguity.kind == kind]
        if examples:
            yield f"    {explanation}"
        for ambiguity in examples:
            yield from _describe_pair(ambiguity)


def _describe_file(file: FileReport) -> Iterator[str]:
    yield file.file
    yield _row("sentences", _count(file))
    if file.lists:
        yield _row("run-time lists", f"{', '.join(file.lists)} (each counted as one word)")
    if file.open_slots:
        yield _row("open slots", "any words (counted as one)")
    yield _row("words", f"{file.words:,}")
    if file.intents:
        yield _row("intents", f"{len(file.intents):,}")
    yield _row("left out", f"{len(file.rejects):,}" if file.rejects else "nothing")
    width = max((len(reject.place) for reject in file.rejects), default=0)
    for reject in file.rejects:
        yield f"    {reject.place:<{width}}  {reject.message}"


def _describe_pair(ambiguity: Ambiguity) -> Iterator[str]:
    rows = [(_meaning(said), _place(said)) for said in (ambiguity.first, ambiguity.second)]
    width = max(len(meaning) for meaning, _ in rows)
    for lead, (meaning, place) in zip(("-", " "), rows, strict=True):
        yield f"      {lead} {meaning:<{width}}  {place}".rstrip()


def _row(name: str, value: str) -> str:
    return f"  {name:<16}{value}"


def _count(file: FileReport) -> str:
    from edge_asr.decoder.grammar.distinct import MOST_COUNTED

    if file.sentences == math.inf:
        return "endlessly many"
    if file.sentences > MOST_COUNTED:
        return f"more than 10^{len(str(MOST_COUNTED)) - 1}"
    return f"{file.sentences:,}" if file.exact else f"at most {file.sentences:,}"


def _meaning(said: Said) -> str:
    slots = "".join(f" {name}={value}" for name, value in said.slots.items())
    return f"{said.text!r}" + (f" -> {said.intent}{slots}" if said.intent else "")


def _place(said: Said) -> str:
    files: dict[str, list[str]] = {}
    for file, line in said.places:
        files.setdefault(file, []).append(str(line))
    return " ".join(f"{file}:{','.join(lines)}" for file, lines in files.items())


def _spelled(phones: Pronunciation, names: tuple[str, ...]) -> str:
    return " ".join(names[phone] for phone in phones)


def _as_json(report: Report, names: tuple[str, ...], *, words: bool) -> dict[str, Any]:
    """The report for programs."""
    pronunciations = report.pronunciations.items()
    result: dict[str, Any] = {
        "files": [_file_as_json(file) for file in report.files],
        "words": len(report.pronunciations),
        "pronunciations": sum(len(ways) for _, ways in pronunciations),
        "guessed": {way.word: way.phones for way in report.guessed},
        "graph_bytes": report.graph_bytes,
        "ambiguities": [
            {**asdict(ambiguity), "harmless": ambiguity.harmless} for ambiguity in report.ambiguities
        ],
        "cut_short": report.cut_short,
        "usable": report.usable,
    }
    if words:
        result["lexicon"] = {word: [_spelled(ph, names) for ph in ways] for word, ways in pronunciations}
    return result


def _file_as_json(file: FileReport) -> dict[str, Any]:
    """``sentences`` is null where it is no number that JSON has; ``sentences_shown`` says it in words."""
    from edge_asr.decoder.grammar.distinct import MOST_COUNTED

    counted = file.sentences if file.sentences <= MOST_COUNTED else None
    return {**asdict(file), "sentences": counted, "sentences_shown": _count(file)}
