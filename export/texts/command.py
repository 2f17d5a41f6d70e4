"""``python -m export texts``: sentences for a synthesizer, none of which a measured set holds."""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.census import random_sentences
from edge_asr.errors import UsageError
from export.corpus import read_manifest
from export.lexicon import read_text
from export.texts import KINDS, draw_texts
from export.texts.overlap import Overlap

_PLAIN = re.compile(r"[a-z']+(?: [a-z']+){1,15}")
"""Sentences that can be spoken and learned as they stand: 2 to 16 words and no digits."""
_EXTRA = 2.0
"""How many times as many texts are drawn as are wanted, since some are the same or overlap."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export texts``."""
    parser.add_argument(
        "--kind", action="append", default=[], metavar="KIND=COUNT", help=f"KIND is one of {', '.join(KINDS)}"
    )
    parser.add_argument(
        "--grammar",
        action="append",
        default=[],
        metavar="FILE=COUNT",
        help="sentences that a grammar accepts",
    )
    parser.add_argument(
        "--sentences", action="append", default=[], metavar="FILE=COUNT", help="lines of a text, plain or .xz"
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        type=Path,
        metavar="MANIFEST",
        help="leave out what overlaps with the dev utterances of this set",
    )
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="one sentence a line")


def run(args: argparse.Namespace) -> int:
    """Write the texts, each once, in the order of the flags."""
    measured = Overlap(u.text for path in args.exclude for u in read_manifest(path) if u.split == "dev")
    texts: dict[str, None] = {}
    for name, wanted, draw in _draws(args):
        fresh = (t for t in dict.fromkeys(draw(int(wanted * _EXTRA))) if t not in texts and t not in measured)
        chosen = [text for text, _ in zip(fresh, range(wanted), strict=False)]
        texts.update(dict.fromkeys(chosen))
        short = "" if len(chosen) == wanted else f" of {wanted}: the others repeat themselves or overlap"
        print(f"{name}: {len(chosen)}{short}")
    if not texts:
        raise UsageError("no texts: give --kind, --grammar or --sentences")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return 0


def _draws(args: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[int], list[str]]]]:
    """Name, wanted number and source of each flag."""
    seed: int = args.seed
    for flag in args.kind:
        kind, count = _counted(flag)
        yield kind, count, lambda n, kind=kind: draw_texts(kind, n, seed)  # type: ignore[misc]
    for flag in args.grammar:
        file, count = _counted(flag)
        network = load_grammar(file)
        yield file, count, lambda n, network=network: random_sentences(network, n, seed, by_turns=True)  # type: ignore[misc]
    for flag in args.sentences:
        file, count = _counted(flag)
        yield file, count, lambda n, file=file: plain_sentences(Path(file), n, seed)  # type: ignore[misc]


def plain_sentences(path: Path, count: int, seed: int) -> list[str]:
    """Up to ``count`` lines of a text at random, of those that are fit to be spoken."""
    lines = (" ".join(line.lower().split()) for line in read_text(path))
    fit = [line for line in lines if _PLAIN.fullmatch(line)]
    return random.Random(f"sentences {seed}").sample(fit, min(count, len(fit)))


def _counted(flag: str) -> tuple[str, int]:
    name, _, count = flag.rpartition("=")
    if not name or not count.isdecimal() or int(count) < 1:
        raise UsageError(f"expected NAME=COUNT with a positive number, got {flag!r}")
    return name, int(count)
