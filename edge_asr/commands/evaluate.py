"""``edge-asr evaluate``: word error rate and speed over recordings whose words are known."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_asr.commands import model
from edge_asr.commands.transcribe import transcribe
from edge_asr.errors import MissingExtraError, UsageError

HELP = "Measure word error rate, utterances fully right and speed over a manifest."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    model.add_arguments(parser)
    parser.add_argument(
        "--manifest",
        type=Path,
        required=True,
        metavar="M.jsonl",
        help="one JSON object a line: audio (path relative to the manifest), text, and what is known",
    )
    parser.add_argument("--split", help="only lines whose split is this, e.g. dev")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N lines")
    parser.add_argument(
        "--by", metavar="KEY", help="group by this key of the manifest (default: group, else age, else none)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per group, then the total")


@dataclass
class Group:
    """Counts of one speaker group."""

    references: list[str] = field(default_factory=list)
    """Words that were said."""
    hypotheses: list[str] = field(default_factory=list)
    """Words that were heard."""
    audio_s: float = 0.0
    """Length of the recordings."""
    wall_s: float = 0.0
    """Time spent on them."""

    def report(self, name: str) -> dict[str, Any]:
        """Figures of the group; rates are shares between 0 and 1 (WER may exceed 1)."""
        import jiwer

        right = sum(r == h for r, h in zip(self.references, self.hypotheses, strict=True))
        return {
            "group": name,
            "utterances": len(self.references),
            "words": sum(len(r.split()) for r in self.references),
            "wer": round(jiwer.wer(self.references, self.hypotheses), 4),
            "right": round(right / len(self.references), 4),
            "audio_s": round(self.audio_s, 1),
            "real_time_factor": round(self.wall_s / self.audio_s, 4) if self.audio_s else 0.0,
        }


def run(args: argparse.Namespace) -> int:
    """Transcribe every line and print the figures by group.

    Raises
    ------
    MissingExtraError: jiwer or tqdm is not installed.
    UsageError: no such manifest, a bad line (with its number), or no line left.
    """
    try:
        import jiwer  # noqa: F401
        from tqdm import tqdm
    except ImportError as error:
        raise MissingExtraError(str(error.name), "evaluate", "edge-asr evaluate") from error

    lines = [line for line in read_lines(args.manifest) if args.split in (None, line.get("split"))]
    lines = lines[: args.limit]
    if not lines:
        raise UsageError(f"{args.manifest}: no line to evaluate (split {args.split!r})")
    recognizer, graph = model.load(args)
    groups: dict[str, Group] = {}
    total = Group()
    for line in tqdm(lines, unit="file", disable=None):
        file = args.manifest.parent / line["audio"]
        result = transcribe(
            recognizer, graph, file, nbest=args.nbest, rejection=args.rejection, rescore=args.rescore
        )
        for group in (groups.setdefault(group_of(line, args.by), Group()), total):
            group.references.append(" ".join(line["text"].lower().split()))
            group.hypotheses.append(result["text"])
            group.audio_s += result["audio_s"]
            group.wall_s += result["wall_s"]
    reports = [group.report(name) for name, group in sorted(groups.items()) if len(groups) > 1]
    reports = [{**report, "engine": recognizer.engine} for report in (*reports, total.report("all"))]
    _print(reports, as_json=args.json)
    return 0


def read_lines(manifest: Path) -> Iterator[dict[str, Any]]:
    """The objects of a manifest; lines without words cannot be scored and are passed over.

    Raises
    ------
    UsageError: no such file, or a line that is no object with audio and text.
    """
    if not manifest.is_file():
        raise UsageError(f"{manifest}: no such manifest")
    for number, text in enumerate(manifest.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
            if not (isinstance(line["audio"], str) and isinstance(line["text"], str)):
                raise TypeError("audio and text must be strings")
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise UsageError(
                f"{manifest}:{number}: expected an object with audio and text: {error}"
            ) from error
        if line["text"].strip():
            yield line


def group_of(line: dict[str, Any], key: str | None) -> str:
    """The speaker group of a manifest line."""
    if key is not None:
        return str(line.get(key, "unknown"))
    if "group" in line:
        return str(line["group"])
    if isinstance(line.get("age"), int):
        return "adults" if line["age"] >= 18 else "under 18"
    return "unknown"


def _print(reports: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for report in reports:
            print(json.dumps(report))
        return
    print(f"{'group':<16}{'utterances':>11}{'words':>8}{'WER %':>8}{'right %':>9}{'hours':>7}{'RTF':>8}")
    for r in reports:
        print(
            f"{r['group']:<16}{r['utterances']:>11}{r['words']:>8}{100 * r['wer']:>8.1f}"
            f"{100 * r['right']:>9.1f}{r['audio_s'] / 3600:>7.2f}{r['real_time_factor']:>8.3f}"
        )
