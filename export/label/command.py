"""``python -m export label RECORDINGS``: write down what a model hears."""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from edge_asr.errors import AudioError, UsageError
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
from export.label.hearing import find_recordings, heard
from export.label.labelled_set import REFUSED_FILE, LabelledSet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export label``."""
    parser.add_argument("recordings", type=Path, help="a set with its manifest, or a folder of audio files")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the set that is made")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or path (default %(default)s)")
    parser.add_argument(
        "--least",
        type=float,
        default=0.8,
        metavar="SHARE",
        help="mean confidence of the words that are kept (default %(default)s)",
    )
    parser.add_argument(
        "--longest",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="longer recordings are cut at pauses (default %(default)s)",
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace) -> int:
    """Label what is not yet labelled; started again, it goes on where it stopped."""
    if not 0 <= args.least <= 1 or args.longest <= 0 or args.jobs < 1:
        raise UsageError("expected --least within 0 to 1, a positive --longest and at least one of --jobs")
    recordings = list(find_recordings(args.recordings))
    out = args.out.resolve()
    if args.recordings.resolve() in (out, *out.parents):  # what is cut would be found as a recording
        raise UsageError(f"--out: {args.out} lies among the recordings: choose another folder")
    Recognizer.load(args.model)  # before other processes fail at it
    settings = {"model": args.model, "least": args.least, "longest": args.longest}
    labelled = LabelledSet(args.out, settings)
    waiting = [found for found in recordings if str(found.audio) not in labelled.done]
    hear = partial(_safely, model=args.model, longest_s=args.longest)
    unreadable = 0
    with ProcessPoolExecutor(args.jobs) as pool:
        results = pool.map(hear, [found.audio for found in waiting], chunksize=4)
        bar = tqdm(results, total=len(waiting), desc="label", mininterval=2)
        for found, result in zip(waiting, bar, strict=True):
            if isinstance(result, AudioError):
                tqdm.write(f"left out: {result}", file=sys.stderr)
                unreadable += 1
            else:
                labelled.add(found, *result)
    summary = {**labelled.summary(recordings), "unreadable": unreadable}
    print(json.dumps(summary) if args.json else _described(summary, args.out))
    return 0


def _safely(path: Path, **settings: Any) -> Any:
    """An unreadable recording must not end the others."""
    try:
        return heard(path, **settings)
    except AudioError as error:
        return error


def _described(summary: dict[str, Any], out: Path) -> str:
    lines = [
        f"{summary['utterances']} utterances of {summary['recordings']} recordings: {out}, "
        f"{summary['hours']:.2f} h",
        f"{summary['refused']} refused: {out / REFUSED_FILE}",
    ]
    if summary["unreadable"]:
        lines.append(f"{summary['unreadable']} recordings could not be read")
    if "differs" in summary:
        lines.append(f"{100 * summary['differs']:.1f} % of the words that the set had were heard otherwise")
    return "\n".join(lines)
