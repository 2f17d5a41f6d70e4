"""``edge-asr listen``: words and intents from the microphone, as they are spoken."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from typing import TYPE_CHECKING

from edge_asr.commands import model
from edge_asr.decoder.endpoint import PRESETS
from edge_asr.events import Event, Final, Gap, Intent, Partial, Rejected, SpeechStarted
from edge_asr.vad import VADS

if TYPE_CHECKING:
    from edge_asr.decoder.grammar.watch import GrammarFiles
    from edge_asr.stream import Stream

HELP = "Listen to a microphone and print what is said; Ctrl-C ends it. Changed grammars are taken up."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    model.add_arguments(parser)
    parser.add_argument(
        "--device", metavar="D", help="number or part of the name of a device (edge-asr devices lists them)"
    )
    parser.add_argument(
        "--vad", choices=sorted(VADS), default="webrtc", help="voice activity detector (default %(default)s)"
    )
    parser.add_argument(
        "--endpoint",
        choices=[*PRESETS, "off"],
        default="balanced",
        help="how soon silence ends what is said; off leaves that to the detector (default %(default)s)",
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after this much audio")
    parser.add_argument("--json", action="store_true", help="one JSON object per event")


def run(args: argparse.Namespace) -> int:
    """Print events until interrupted or terminated, or until ``--seconds`` have been heard."""
    from edge_asr.audio.microphone import Microphone

    # A service manager stops with SIGTERM: what was being said gets its final then too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    recognizer = model.load_recognizer(args)
    files = model.watch_grammars(recognizer, args)
    graph = model.heard(recognizer, files, rescore=args.rescore)
    device = int(args.device) if args.device and args.device.isdecimal() else args.device
    show = _show_json if args.json else _Screen().show
    with Microphone(device) as microphone:
        stream = recognizer.stream(
            sample_rate_hz=microphone.sample_rate_hz,
            graph=graph,
            vad=args.vad,
            nbest=args.nbest,
            rejection=args.rejection,
            rescore=args.rescore,
            endpoint=None if args.endpoint == "off" else args.endpoint,
        )
        if args.phrase:
            stream.bias(recognizer.phrases(dict(args.phrase)))
        print(f"listening to {microphone.device} (engine {recognizer.engine})", file=sys.stderr, flush=True)
        try:
            for block in microphone:
                if files:
                    _take_up_changes(files, stream)
                if block.dropped_samples:
                    show(stream.skip(block.dropped_samples))
                show(stream.accept_waveform(block.samples))
                if args.seconds and stream.at_s >= args.seconds:
                    break
        except KeyboardInterrupt:
            pass  # what was being said still gets its final
        show(stream.finish())
    return 0


def _take_up_changes(files: GrammarFiles, stream: Stream) -> None:
    """Let the stream hear the grammar as its files are now, and say what came of their change."""
    reload = files.poll()
    if reload is None:
        return
    if reload.graph is None:
        print(f"edge-asr: {reload.error}; the grammar stays as it was", file=sys.stderr, flush=True)
        return
    stream.use(reload.graph)
    model.print_rejects(reload.rejects)
    model.print_left_over(reload.graph)
    message = "the grammar has changed: it is heard from the next utterance on"
    print(f"edge-asr: {message}", file=sys.stderr, flush=True)


def _show_json(events: list[Event]) -> None:
    for event in events:
        print(json.dumps(event.to_dict(), ensure_ascii=False), flush=True)


class _Screen:
    """Events for people: on a terminal the partial text is overwritten in place."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()

    def show(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Partial() if self._live:
                    # What may still change is dim.
                    tail = event.text[len(event.stable) :]
                    print(f"\r\x1b[K  {event.stable}\x1b[2m{tail}\x1b[0m", end="", flush=True)
                case Final():
                    self._line(f"{event.text}  ({event.confidence:.2f})")
                    if event.written != event.text:
                        self._line(f"  = {event.written}")
                case Intent():
                    slots = " ".join(f"{name}={value}" for name, value in event.slots.items())
                    self._line(f"  -> {event.name} {slots}".rstrip())
                case Rejected():
                    guess = f", perhaps {event.nbest[0].text!r}" if event.nbest else ""
                    self._line(f"(nothing: {event.reason}{guess})")
                case Gap():
                    self._line(f"(lost {event.duration_s:.2f} s of audio)")
                case SpeechStarted() | _:
                    pass

    def _line(self, text: str) -> None:
        clear = "\r\x1b[K" if self._live else ""
        print(f"{clear}{text}", flush=True)
