"""``python -m export label RECORDINGS``: what a model hears in recordings that nobody has written down.

Self-training: a model labels speech, what it is sure of is learned by the next one, which labels better. The
recordings are a set with a manifest, whose words are not looked at but to say how many would be others, or
any folder of audio files. One that is longer than utterances are learned is cut where the recognizer heard
someone pause.

Source: J. Kahn, A. Lee and A. Hannun, "Self-training for end-to-end speech recognition", ICASSP 2020
(labels of a language model's beam search, filtered by confidence).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from tqdm import tqdm

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import open_audio, read_audio
from edge_asr.errors import AudioError, UsageError
from edge_asr.events import Event, Final
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
from export.corpus import Utterance, read_manifest

MANIFEST = "manifest.jsonl"
REFUSED_FILE = "refused.jsonl"
"""Beside the manifest: what was heard and not believed."""
_ENDINGS = {".wav", ".flac", ".ogg", ".opus", ".mp3"}
_AROUND_S = 0.25
"""Kept of the pause before and after a piece."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What was heard in a recording, or in a part of one."""

    text: str
    confidence: float
    """Mean of its words: about the share of them that is right."""
    start_s: float
    end_s: float
    """Where it lies."""


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
    if args.out.resolve() == args.recordings.resolve():
        raise UsageError(f"--out: {args.out} holds the recordings: choose another folder")
    Recognizer.load(args.model)  # before other processes fail at it
    args.out.mkdir(parents=True, exist_ok=True)
    files = [args.out / MANIFEST, args.out / REFUSED_FILE]
    for path in files:
        _drop_part_of_a_line(path)
    done = {row["recording"] for path in files for row in _rows(path)}
    waiting = [found for found in recordings if str(found.audio) not in done]
    hear = partial(heard, model=args.model, longest_s=args.longest)
    unreadable = 0
    with ProcessPoolExecutor(args.jobs) as pool:
        pieces = pool.map(_safely, [hear] * len(waiting), [found.audio for found in waiting], chunksize=4)
        for found, result in zip(
            waiting, tqdm(pieces, total=len(waiting), desc="label", mininterval=2), strict=True
        ):
            if isinstance(result, AudioError):
                tqdm.write(f"left out: {result}", file=sys.stderr)
                unreadable += 1
            else:
                _keep(args.out, found, result, least=args.least, longest_s=args.longest)
    summary = {**_summary(recordings, *map(_rows, files)), "unreadable": unreadable}
    print(json.dumps(summary) if args.json else _described(summary, args.out))
    return 0


def find_recordings(folder: Path) -> Iterator[Utterance]:
    """The training utterances of a set, or all audio files of a folder, whose folders name the speakers.

    Raises
    ------
    UsageError: no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    if (folder / MANIFEST).is_file():
        yield from (found for found in read_manifest(folder) if found.split == "train")
        return
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)
    if not files:
        raise UsageError(f"{folder}: no manifest and no audio files ({', '.join(sorted(_ENDINGS))})")
    for path in files:
        yield Utterance(
            audio=path, text="", speaker=path.parent.name, split="train", seconds=0.0, corpus=folder.name
        )


def heard(path: Path, *, model: str, longest_s: float) -> tuple[float, list[Piece]]:
    """Seconds of a recording, and what is said in it: in one piece, or where it is longer in several.

    Raises
    ------
    AudioError: the file cannot be read.
    """
    recognizer = _recognizer(model)
    events: list[Event] = []
    samples = 0
    with open_audio(path, sample_rate_hz=recognizer.sample_rate_hz) as audio:
        whole = audio.duration_s is not None and audio.duration_s <= longest_s
        stream = recognizer.stream() if whole else recognizer.stream(vad="webrtc", endpoint="patient")
        for block in audio:
            samples += block.size
            events += stream.accept_waveform(block)
        events += stream.finish()
    seconds = samples / recognizer.sample_rate_hz
    pieces = []
    for final in (event for event in events if isinstance(event, Final)):
        start_s = 0.0 if whole else max(0.0, final.words[0].start_s - _AROUND_S)
        end_s = seconds if whole else min(seconds, final.words[-1].end_s + _AROUND_S)
        sure = float(np.mean([word.confidence for word in final.words]))
        pieces.append(Piece(text=final.text, confidence=sure, start_s=start_s, end_s=end_s))
    return seconds, pieces


def _drop_part_of_a_line(path: Path) -> None:
    """What an earlier run had not written to its end."""
    if path.is_file():
        whole = path.read_bytes()
        path.write_bytes(whole[: whole.rfind(b"\n") + 1])


def _safely(hear: Any, path: Path) -> Any:
    """An unreadable recording must not end the others."""
    try:
        return hear(path)
    except AudioError as error:
        return error


@cache
def _recognizer(model: str) -> Recognizer:
    """One a process."""
    return Recognizer.load(model)


def _keep(
    out: Path, found: Utterance, result: tuple[float, list[Piece]], *, least: float, longest_s: float
) -> None:
    """Write a recording's pieces into the manifest, or where they are not believed beside it."""
    seconds, pieces = result
    kept, refused = [], []
    samples: Float32Array | None = None
    for number, piece in enumerate(pieces, start=1):
        row: dict[str, Any] = {"text": piece.text, "speaker": found.speaker, "split": "train"}
        row |= {"seconds": round(piece.end_s - piece.start_s, 3), "confidence": round(piece.confidence, 4)}
        row["recording"] = str(found.audio)
        if piece.confidence < least or piece.end_s - piece.start_s > longest_s:
            refused.append(row)
        elif (piece.start_s, piece.end_s) == (0.0, seconds):
            kept.append({"audio": os.path.relpath(found.audio, out), **row})
        else:
            samples = read_audio(found.audio) if samples is None else samples
            audio = Path("audio") / f"{_flat(found.audio)}_{number:04}.flac"
            _write(out / audio, samples, piece)
            kept.append({"audio": str(audio), **row})
    if not pieces:
        refused.append({"text": "", "recording": str(found.audio), "seconds": round(seconds, 3)})
    # The manifest first: a recording that stands in either file is not heard again.
    for path, rows in ((out / MANIFEST, kept), (out / REFUSED_FILE, refused)):
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _flat(path: Path) -> str:
    """A name in one folder for files of many."""
    return f"{path.parent.name}_{path.stem}"


def _write(path: Path, samples: Float32Array, piece: Piece) -> None:
    import soundfile

    path.parent.mkdir(exist_ok=True)
    rate_hz = 16_000
    soundfile.write(path, samples[round(piece.start_s * rate_hz) : round(piece.end_s * rate_hz)], rate_hz)


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _summary(
    recordings: list[Utterance], kept: list[dict[str, Any]], refused: list[dict[str, Any]]
) -> dict[str, Any]:
    """Counts, hours, and of words that were known already the share that is heard otherwise."""
    summary: dict[str, Any] = {
        "recordings": len(recordings),
        "utterances": len(kept),
        "hours": round(sum(row["seconds"] for row in kept) / 3600, 3),
        "refused": len(refused),
    }
    known = {str(found.audio): found.text for found in recordings if found.text}
    for name, rows in (("differs", kept), ("differs_refused", refused)):
        said = {row["recording"]: "" for row in rows if row["recording"] in known}
        for row in rows:
            if row["recording"] in said:
                said[row["recording"]] = f"{said[row['recording']]} {row['text']}".strip()
        if said:
            summary[name] = round(jiwer.wer([known[name] for name in said], list(said.values())), 4)
    return summary


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
