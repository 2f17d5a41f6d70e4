"""Learn from text what pieces words are best made of."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from pathlib import Path

import sentencepiece

from edge_asr.decoder.word_pieces import LETTERS, MARK, WordPieces
from edge_asr.errors import UsageError

_THEIR_MARK = "\u2581"
_CONTROLS = 3
"""Pieces that stand for no letters there: unknown, begin and end."""
_RARE = -10.0
"""A letter that no text holds: natural log, below the rarest piece."""


def learn_pieces(counts: Mapping[str, float], size: int) -> WordPieces:
    """The pieces of a unigram model, every letter and the marker among them.

    Parameters
    ----------
    counts: how often each word occurs, shares of texts taken into account.
    size: about how many pieces; a small text may not give so many.

    Raises
    ------
    UsageError: the text has no word, or the size cannot hold its letters.
    """
    if not counts or size < 2 * len(LETTERS):
        raise UsageError(
            f"expected words and at least {2 * len(LETTERS)} pieces, got {len(counts)} and {size}"
        )
    model = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "words.tsv"
        table.write_text(
            "".join(f"{word}\t{max(1, round(count))}\n" for word, count in sorted(counts.items())),
            encoding="utf-8",
        )
        sentencepiece.SentencePieceTrainer.train(
            input=str(table),
            input_format="tsv",
            model_writer=model,
            model_type="unigram",
            vocab_size=size + _CONTROLS,
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="identity",
            num_threads=1,
            minloglevel=2,
        )
    learned = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    log_probs = {
        learned.id_to_piece(number).replace(_THEIR_MARK, MARK): float(learned.get_score(number))
        for number in range(_CONTROLS, learned.get_piece_size())
    }
    rare = min(log_probs.values()) + _RARE
    for letter in MARK + LETTERS:
        log_probs.setdefault(letter, rare)
    pieces = sorted(log_probs)
    return WordPieces(pieces, [log_probs[piece] for piece in pieces])
