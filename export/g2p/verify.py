"""``python -m export g2p-verify RUN_DIR``: does the exported file guess as the network that was trained?

Both are asked for the held-out words of the dictionary, the file through the runtime that devices use.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edge_asr.bundle import G2P
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import EdgeAsrError, UsageError
from export.g2p.checkpoint import G2pCheckpoint, load_g2p
from export.g2p.convert import MAX_BYTES, held_out_words
from export.g2p.guess import answers, read_off
from export.g2p.score import count_errors
from export.g2p.words import DictionaryWord
from export.parity import MATTERS

MIN_SAME = 0.97
"""Share of words that both guess alike; int8 turns some that were as good as tied."""
MAX_LOG_PROB = 0.05
"""Mean difference (natural log) where the network gives at least MATTERS."""
MAX_WORSE = 0.005
"""By how much the file's word error may exceed the network's."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The file beside the network."""

    words: int
    """How many were asked for."""
    same: float
    """Share of equal guesses."""
    mean_log_prob: float
    """Mean difference of the log-probabilities that matter, natural log."""
    network_word_error: float
    """Of the network in float32."""
    word_error: float
    """Of the file."""
    phone_error: float
    """Of the file."""
    size_bytes: int
    """Of the file."""

    @property
    def agrees(self) -> bool:
        """Whether the file may be shipped; a figure that is not a number may not."""
        return (
            self.same >= MIN_SAME
            and self.mean_log_prob <= MAX_LOG_PROB
            and self.word_error <= self.network_word_error + MAX_WORSE
            and self.size_bytes <= MAX_BYTES
        )

    def __str__(self) -> str:
        return (
            f"{self.words} held-out words, {self.size_bytes / 1e6:.2f} MB (at most {MAX_BYTES / 1e6:.2f})\n"
            f"same guesses        {self.same:.2%} (at least {MIN_SAME:.0%})\n"
            f"mean |dlogp|        {self.mean_log_prob:.4f} (at most {MAX_LOG_PROB})\n"
            f"word error          {self.word_error:.2%} (at most {self.network_word_error + MAX_WORSE:.2%})\n"
            f"phone error         {self.phone_error:.2%}\n"
            f"{'agrees' if self.agrees else 'DIFFERS'}"
        )


def verify(checkpoint: G2pCheckpoint, path: Path, words: Sequence[DictionaryWord]) -> Verdict:
    """Compare the file with the checkpoint.

    Raises
    ------
    UsageError: there is no such file.
    BundleError: it cannot be read, or has other inputs and outputs.
    EdgeAsrError: the network has not learned to say anything, so agreement would mean nothing.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; make it with: python -m export g2p-convert {path.parent}")
    spelled = [word.word for word in words]
    tokens = checkpoint.tokens
    expected, got = (
        answers(checkpoint.restore(), spelled, checkpoint.letters),
        G2p(path, Tokens(tokens)).log_probs(spelled),
    )
    guesses = read_off(expected, tokens)
    if len(set(guesses)) < len(words) / 2:
        raise EdgeAsrError("the network says the same to most words: train it longer")
    if [a.shape for a in expected] != [b.shape for b in got]:
        raise EdgeAsrError(f"{path}: gives answers of another length than the network: convert again")
    file_guesses = read_off(got, tokens)
    flat, other = np.concatenate(expected), np.concatenate(got)
    errors = count_errors(words, file_guesses)
    return Verdict(
        words=len(words),
        same=sum(a == b for a, b in zip(guesses, file_guesses, strict=True)) / len(words),
        mean_log_prob=float(np.abs(flat - other)[np.exp(flat) > MATTERS].mean()),
        network_word_error=count_errors(words, guesses).word_error,
        word_error=errors.word_error,
        phone_error=errors.phone_error,
        size_bytes=path.stat().st_size,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export g2p-verify``."""
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="directory with g2p.pt and g2p.onnx")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the comparison; 1 where the file disagrees."""
    checkpoint = load_g2p(args.run_dir)
    verdict = verify(checkpoint, args.run_dir / G2P, held_out_words(checkpoint))
    print(json.dumps(asdict(verdict) | {"agrees": verdict.agrees}) if args.json else verdict)
    return 0 if verdict.agrees else 1
