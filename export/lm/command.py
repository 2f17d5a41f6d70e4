"""``python -m export lm``: count, smooth, mix, prune, measure, write."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from edge_asr.arrays import Int64Array
from edge_asr.errors import UsageError
from export.lexicon import read_text
from export.lm.arpa import write_arpa
from export.lm.counts import Counts, count_ngrams, numbered
from export.lm.mixture import history_shares, mix
from export.lm.model import SPECIAL, BackoffModel, vocabulary
from export.lm.perplexity import perplexity
from export.lm.prune import prune
from export.lm.smoothing import SMOOTHINGS

HELD_OUT_EVERY = 100
"""Every so many lines one is measured on and not learned from."""
PACKED_NGRAM_BYTES = {1: 1.0, 2: 3.5, 3: 4.6}
"""What an n-gram takes in a bundle's free-text graph, by the model's order, measured with 300,000; the
words themselves and their tree are not counted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument(
        "--text",
        action="append",
        required=True,
        metavar="FILE[=SHARE]",
        help="text to learn from, one sentence a line, plain or .xz; SHARE is its part of the mixture "
        "(default 1)",
    )
    parser.add_argument(
        "--lexicon",
        type=Path,
        required=True,
        metavar="FILE",
        help="its words are the vocabulary; plain or .xz",
    )
    parser.add_argument("--order", type=int, default=3, choices=(1, 2, 3), help="default %(default)s")
    parser.add_argument("--smoothing", choices=SMOOTHINGS, default="kneser-ney", help="default %(default)s")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--max-ngrams", type=int, metavar="N", help="n-grams of all orders to keep")
    size.add_argument(
        "--size", type=float, metavar="MB", help="about how large the n-grams may be in a bundle"
    )
    parser.add_argument(
        "--min-count",
        type=int,
        default=1,
        metavar="N",
        help="leave out longest n-grams that were seen less often (default %(default)s: none)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="lm.arpa or lm.arpa.xz")


def run(args: argparse.Namespace) -> int:
    """Write the model and print its perplexity on the lines that were held out."""
    words = vocabulary(line.split(" ")[0].strip() for line in read_text(args.lexicon) if line.strip())
    names, shares = zip(*map(text_and_share, args.text), strict=True)
    texts = [count_text(Path(name), words, args.order) for name in names]
    smooth = SMOOTHINGS[args.smoothing]
    model = mix([_cut(smooth(text, words), text, args.min_count) for text in texts], shares)
    print(f"{model.ngrams} n-grams")
    report(model, names)
    ngrams = args.max_ngrams
    if args.size is not None:
        ngrams = len(words) + int(args.size * 1e6 / PACKED_NGRAM_BYTES[args.order])
    if ngrams is not None and ngrams < model.ngrams:
        model = prune(model, ngrams, history_shares(model, texts, shares))
        print(f"{model.ngrams} n-grams after pruning")
        report(model, names)
    write_arpa(model, args.out)
    listed = ", ".join(f"{keys.size} of order {order}" for order, keys in enumerate(model.keys, start=1))
    print(f"{listed} -> {args.out}")
    return 0


def count_text(path: Path, words: Sequence[str], order: int) -> Counts:
    """n-grams of a text without its held-out lines.

    Raises
    ------
    UsageError: it has none of ``words``.
    """
    lines = (line for number, line in enumerate(read_text(path), start=1) if number % HELD_OUT_EVERY)
    counts = count_ngrams(numbered(lines, words), order=order, size=len(words))
    if not counts.counts[0][len(SPECIAL) :].any():
        raise UsageError(f"{path}: has no word of the lexicon: make one of it (python -m export lexicon)")
    return counts


def held_out(path: Path, words: Sequence[str]) -> Iterator[Int64Array]:
    """The other lines, as word numbers."""
    lines = islice(read_text(path), HELD_OUT_EVERY - 1, None, HELD_OUT_EVERY)
    return numbered(lines, words)


def report(model: BackoffModel, texts: Sequence[str]) -> None:
    """Print the perplexity on the held-out lines of each text."""
    for name in texts:
        print(f"  {Path(name).name}: {perplexity(model, held_out(Path(name), model.words))}")


def _cut(model: BackoffModel, counts: Counts, least: int) -> BackoffModel:
    """The model without its longest n-grams that were seen less than ``least`` times."""
    if model.order == 1 or least <= 1:
        return model
    masks = [keys >= 0 for keys in model.keys[:-1]]
    return model.kept([*masks, counts.counts[-1] >= least])


def text_and_share(value: str) -> tuple[str, float]:
    """FILE[=SHARE]; a name that itself holds '=' needs its share."""
    name, separator, share = value.rpartition("=")
    if not separator:
        return value, 1.0
    try:
        part = float(share)
    except ValueError:
        part = 0.0
    if not part > 0:
        raise UsageError(f"--text: expected FILE=SHARE with a share above 0, got {value!r}")
    return name, part
