"""``python -m export neural-lm-texts``: texts to numbers of pieces, before any training.

Pieces are learned from the same mixture. Words are cut by the runtime's own code, so that a model is asked
for nothing that it did not learn.
"""

from __future__ import annotations

import argparse
import collections
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge_asr.decoder.word_pieces import BOUNDARY, WordPieces
from edge_asr.errors import UsageError
from export.lexicon import read_text
from export.lm.command import HELD_OUT_EVERY, text_and_share
from export.lm.counts import words_of
from export.neural_lm.pieces import learn_pieces
from export.neural_lm.token_file import TokenFile, TokenText, write_token_file

_MAX_PIECES = 1 << 14
"""What fits 16 bits with room, and more than a small model can tell apart."""


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
    parser.add_argument("--pieces", type=int, default=4000, metavar="N", help="default %(default)s")
    parser.add_argument(
        "--lexicon",
        type=Path,
        metavar="FILE",
        help="the words that perplexity is measured on, as python -m export lm does; else all",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="NAME.npz")


def run(args: argparse.Namespace) -> int:
    """Write the file and say what is in it.

    Raises
    ------
    UsageError: no such text, or nothing in it.
    """
    if args.pieces > _MAX_PIECES:
        raise UsageError(f"--pieces: expected at most {_MAX_PIECES}, got {args.pieces}")
    named = [text_and_share(value) for value in args.text]
    known = None
    if args.lexicon:
        known = {line.split(" ")[0].strip() for line in read_text(args.lexicon) if line.strip()}
    content = token_file([(Path(name), share) for name, share in named], pieces=args.pieces, known=known)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_token_file(args.out, content)
    for text in content.texts:
        words = int(content.begins_word[text.learned].sum())
        print(
            f"{text.name}: {text.learned.size} tokens to learn, {text.learned.size / max(1, words):.3f} "
            f"a word, {text.held_out.size} held out, {1 - text.counted.mean():.2%} of them in unknown words"
        )
    print(f"{len(content.pieces)} pieces, {args.out.stat().st_size / 1e6:.1f} MB -> {args.out}")
    return 0


def token_file(texts: list[tuple[Path, float]], *, pieces: int, known: set[str] | None = None) -> TokenFile:
    """Learn pieces of the texts, each with its share, and cut all of them.

    Parameters
    ----------
    known: the words that count when perplexity is measured; None: all.
    """
    weighted: dict[str, float] = collections.defaultdict(float)
    for path, share in texts:
        counts = collections.Counter(word for words in _sentences(path, held_out=False) for word in words)
        total = sum(counts.values())
        if not total:
            raise UsageError(f"{path}: expected sentences of words a-z, got none")
        for word, count in counts.items():
            # Counts as in a text of a million words: rare words of rare texts round to one.
            weighted[word] += 1e6 * share * count / total
    cutter = learn_pieces(weighted, pieces)
    return TokenFile(
        pieces=cutter,
        texts=tuple(_numbered(path, share, cutter, known) for path, share in texts),
    )


def _numbered(path: Path, share: float, cutter: WordPieces, known: set[str] | None) -> TokenText:
    cuts: dict[str, tuple[int, ...]] = {}
    parts: dict[bool, list[int]] = {False: [], True: []}
    counted: list[bool] = []
    for held_out, tokens in parts.items():
        for words in _sentences(path, held_out=held_out):
            for word in words:
                if word not in cuts:
                    cuts[word] = cutter.encode(word)
                tokens += cuts[word]
                if held_out:
                    counted += [known is None or word in known] * len(cuts[word])
            tokens.append(BOUNDARY)
            if held_out:
                counted.append(True)
    return TokenText(
        name=path.name,
        share=share,
        learned=np.array(parts[False], dtype=np.uint16),
        held_out=np.array(parts[True], dtype=np.uint16),
        counted=np.array(counted, dtype=np.bool_),
    )


def _sentences(path: Path, *, held_out: bool) -> Iterator[list[str]]:
    """The words of each line that is held out, or of each that is not; lines without words are none."""
    for number, line in enumerate(read_text(path), start=1):
        words = words_of(line)
        if words and (number % HELD_OUT_EVERY == 0) == held_out:
            yield words
