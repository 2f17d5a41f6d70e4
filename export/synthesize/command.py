"""``python -m export synthesize TEXTS``: a set of utterances spoken by a synthesizer."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from tqdm import tqdm

from edge_asr.errors import AudioError, UsageError
from export.lexicon import read_text
from export.sources import sources_of
from export.synthesize import ENGINES
from export.synthesize.engine import Accented, Engine, open_engine
from export.synthesize.plan import draw_lines
from export.synthesize.prompt import prompt
from export.synthesize.spoken_set import SpokenSet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export synthesize``."""
    parser.add_argument("texts", type=Path, help="lower-case sentences, one a line, plain or .xz")
    parser.add_argument(
        "--engine", required=True, help=f"one of {', '.join(ENGINES)}, or module:Class of one's own"
    )
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="model or voices of the engine, where it needs any"
    )
    parser.add_argument(
        "--voices", nargs="+", metavar="VOICE", help="draw from these (default: all English ones)"
    )
    parser.add_argument("--count", type=int, help="utterances in all (default: one a sentence)")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default %(default)s)")
    parser.add_argument(
        "--speeds",
        nargs=2,
        type=float,
        default=(0.85, 1.2),
        metavar=("LOW", "HIGH"),
        help="range of the speed (default %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="the set, named synth_ENGINE or synth_ENGINE_WHAT",
    )


def run(args: argparse.Namespace) -> int:
    """Speak what is not yet spoken; started again, it goes on where it stopped."""
    _check_name(args.out.name, args.engine)
    texts = list(dict.fromkeys(" ".join(line.lower().split()) for line in read_text(args.texts)))
    texts = [text for text in texts if text]
    count = len(texts) if args.count is None else args.count
    low, high = args.speeds
    if not texts or count < 1 or not 0.5 <= low <= high <= 2.0:
        raise UsageError("expected at least one text, a positive --count and --speeds within 0.5 to 2")
    engine = open_engine(args.engine, args.model)
    voices = _voices(engine, args.voices)
    settings = {
        "engine": args.engine,
        "seed": args.seed,
        "speeds": [low, high],
        "texts": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
        "voices": voices,
    }
    lines = draw_lines(texts, voices, count=count, seed=args.seed, blends=engine.blends, speeds=(low, high))
    skipped = 0
    with SpokenSet(args.out, settings) as spoken:
        for number, line in enumerate(tqdm(lines, total=count, desc=args.engine, mininterval=2)):
            if number in spoken.done:
                continue
            try:
                spoken.add(number, line, *engine.speak(prompt(line.text), line.voice, line.speed))
            except AudioError as error:
                tqdm.write(f"left out: {error}")
                skipped += 1
    left_out = f", {skipped} left out" if skipped else ""
    print(f"{len(spoken.done)} utterances in {args.out}{left_out}")
    return 0


def _check_name(name: str, engine: str) -> None:
    """The card finds the licence by the name of the set, so the name must be right from the beginning."""
    expected = f"synth_{engine}"
    if engine in ENGINES and name != expected and not name.startswith(f"{expected}_"):
        raise UsageError(f"--out: call the set {expected} or {expected}_SOMETHING, got {name!r}")
    sources_of([name])


def _voices(engine: Engine, asked: list[str] | None) -> list[str]:
    """The asked voices, or all.

    Raises
    ------
    UsageError: the engine lacks one of them, or has none at all.
    """
    known = (*engine.voices, *(engine.accents if isinstance(engine, Accented) else ()))
    unknown = sorted(set(asked or ()) - set(known))
    if unknown or not engine.voices:
        raise UsageError(f"no voice {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
    return sorted(asked or engine.voices)
