"""``edge-asr transcribe FILE...``: the words and the intent in audio files."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_asr.commands import model
from edge_asr.decoder.presets import DEFAULT_REJECTION
from edge_asr.errors import AudioError
from edge_asr.events import Event, Final, Intent, Partial, Rejected

if TYPE_CHECKING:
    from edge_asr.decoder.biasing import Phrases
    from edge_asr.decoder.graph import Graph
    from edge_asr.recognizer import Recognizer

HELP = "Transcribe audio files of any rate and channel count: WAV, FLAC, Ogg Opus and Vorbis, MP3."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    model.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object per file")
    parser.add_argument(
        "--partials",
        action="store_true",
        help="before each result, print what was heard so far: the words that stay, and in brackets those "
        "that may still change; with --json one object each, of type Partial",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="audio files")


def run(args: argparse.Namespace) -> int:
    """Transcribe all files; a file that cannot be read is reported and makes the exit code 2."""
    recognizer, graph = model.load(args)
    phrases = recognizer.phrases(dict(args.phrase)) if args.phrase else None
    code = 0
    for file in args.files:
        try:
            result = transcribe(
                recognizer,
                graph,
                file,
                nbest=args.nbest,
                rejection=args.rejection,
                rescore=args.rescore,
                phrases=phrases,
                show=_partials(file, as_json=args.json) if args.partials else None,
            )
        except AudioError as error:
            print(f"edge-asr: {error}", file=sys.stderr)
            result = {
                **_empty(file),
                "engine": recognizer.engine,
                "reason": "unreadable",
                "error": str(error),
            }
            code = error.exit_code
            if not args.json:
                continue
        print(json.dumps(result, ensure_ascii=False) if args.json else _describe(result), flush=True)
    return code


def transcribe(
    recognizer: Recognizer,
    graph: Graph | None,
    file: Path,
    *,
    nbest: int = 1,
    rejection: str = DEFAULT_REJECTION,
    rescore: bool = True,
    phrases: Phrases | None = None,
    show: Callable[[Partial], None] | None = None,
) -> dict[str, Any]:
    """Decode one file as one utterance; ``nbest``, ``rejection`` and ``rescore`` as in ``Recognizer.stream``.

    Parameters
    ----------
    show: called with every partial result as soon as it is there.

    Returns
    -------
    The fields of ``--json``: file, text (as it was said), written (the same with numbers, times and dates in
    digits), intent (None where the grammar says none), slots, confidence, words, nbest (text, score,
    confidence, intent and slots of the likeliest sentences), audio_s, wall_s (reading, decoding, search; not
    the loading of the model), engine, and reason (why it ended, or why the text is empty).

    Raises
    ------
    AudioError: the file cannot be read.
    """
    from edge_asr.audio.file import open_audio

    started_s = time.perf_counter()
    samples = 0
    stream = recognizer.stream(graph=graph, nbest=nbest, rejection=rejection, rescore=rescore)
    if phrases is not None:
        stream.bias(phrases)
    with open_audio(file, sample_rate_hz=recognizer.sample_rate_hz) as audio:
        for block in audio:
            samples += block.size
            _show(stream.accept_waveform(block), show)
        events = stream.finish()
        _show(events, show)
    result = {**_empty(file), **summarise(events)}
    result["audio_s"] = round(samples / recognizer.sample_rate_hz, 3)
    result["engine"] = recognizer.engine
    result["wall_s"] = round(time.perf_counter() - started_s, 4)
    return result


def _show(events: list[Event], show: Callable[[Partial], None] | None) -> None:
    for event in events:
        if show and isinstance(event, Partial):
            show(event)


def _partials(file: Path, *, as_json: bool) -> Callable[[Partial], None]:
    """What prints a partial result of the file."""

    def show(event: Partial) -> None:
        if as_json:
            print(json.dumps({"file": str(file), **event.to_dict()}, ensure_ascii=False), flush=True)
        else:
            tail = event.text[len(event.stable) :].strip()
            words = " ".join(filter(None, (event.stable, f"[{tail}]" if tail else "")))
            print(f"  {event.at_s:6.2f} s  {words}", flush=True)

    return show


def summarise(events: list[Event]) -> dict[str, Any]:
    """The Final, Intent or Rejected of one utterance as the fields of ``--json``."""
    result: dict[str, Any] = {}
    for event in events:
        match event:
            case Final():
                words = [asdict(word) for word in event.words]
                result |= {"text": event.text, "written": event.written, "confidence": event.confidence}
                result |= {"words": words, "reason": event.reason}
                result |= {"nbest": [asdict(other) for other in event.nbest]}
            case Intent():
                result |= {"intent": event.name, "slots": event.slots}
            case Rejected():
                result |= {"reason": event.reason, "nbest": [asdict(other) for other in event.nbest]}
    return result


def _empty(file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "text": "",
        "written": "",
        "intent": None,
        "slots": {},
        "confidence": 0.0,
        "words": [],
        "nbest": [],
        "audio_s": 0.0,
        "wall_s": 0.0,
        "engine": "",
        "reason": "",
    }


def _describe(result: dict[str, Any]) -> str:
    """The result for people."""
    factor = result["wall_s"] / result["audio_s"] if result["audio_s"] else 0.0
    rows = [("text", result["text"] or f"(nothing: {result['reason']})")]
    if result["written"] != result["text"]:
        rows.append(("written", result["written"]))
    if result["intent"]:
        rows.append(("intent", result["intent"]))
        rows.extend((f"  {name}", str(value)) for name, value in result["slots"].items())
    rows.append(("confidence", f"{result['confidence']:.2f}"))
    if len(result["nbest"]) > 1 or (result["nbest"] and not result["text"]):
        best = result["nbest"][0]["score"]
        for other in result["nbest"]:
            rows.append((f"  {other['score'] - best:.2f}", other["text"]))
    rows.append(("real-time factor", f"{factor:.3f} ({result['audio_s']:.2f} s in {result['wall_s']:.3f} s)"))
    return "\n".join([result["file"], *(f"  {name:<18}{value}" for name, value in rows)])
