"""``python -m export neural-lm-verify RUN_DIR``: does the file say what the network says?

Both are asked for held-out sentences, the file through the runtime that devices use. That code alone, without
int8, must give the network's numbers to within rounding; int8 may cost a little perplexity.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from edge_asr.bundle import NEURAL_LM
from edge_asr.decoder.neural_lm import LstmLayer, NeuralLm
from edge_asr.decoder.word_pieces import BOUNDARY
from edge_asr.errors import UsageError
from export.neural_lm.checkpoint import PieceCheckpoint, load_pieces
from export.neural_lm.perplexity import piece_costs
from export.neural_lm.token_file import TokenFile, read_token_file

MAX_ROUNDING = 2e-3
"""Largest difference of a word's log-probability, natural, without int8: float32, added in another order."""
MAX_MEAN = 0.05
"""Mean difference with int8."""
MAX_WORSE = 1.01
"""By what factor int8 may raise the perplexity."""
_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The file beside the network."""

    words: int
    """How many were asked for, ends of sentences included."""
    rounding: float
    """Largest difference of the runtime with the network's own weights, natural log."""
    mean: float
    """Mean difference of the file."""
    network_perplexity: float
    """Of the network in float32, over all words and ends of sentences."""
    perplexity: float
    """Of the file."""
    size_bytes: int
    """Of the file."""

    @property
    def agrees(self) -> bool:
        """Whether the file may be shipped; a figure that is not a number may not."""
        return (
            self.rounding <= MAX_ROUNDING
            and self.mean <= MAX_MEAN
            and self.perplexity <= self.network_perplexity * MAX_WORSE
        )

    def __str__(self) -> str:
        return (
            f"{self.words} words and ends of held-out sentences, {self.size_bytes / 1e6:.2f} MB\n"
            f"largest |dlogp| before int8  {self.rounding:.2g} (at most {MAX_ROUNDING:g})\n"
            f"mean |dlogp|                 {self.mean:.4f} (at most {MAX_MEAN})\n"
            f"perplexity                   {self.perplexity:.2f} (at most {MAX_WORSE:g} times "
            f"{self.network_perplexity:.2f})\n"
            f"{'agrees' if self.agrees else 'DIFFERS'}"
        )


def verify(checkpoint: PieceCheckpoint, path: Path, content: TokenFile, *, sentences: int) -> Verdict:
    """Compare the file with the checkpoint on the first held-out sentences of each text.

    Raises
    ------
    UsageError: there is no such file, or the texts are of other pieces.
    BundleError: the file cannot be read.
    """
    if not path.is_file():
        raise UsageError(
            f"{path}: no such file; make it with: python -m export neural-lm-convert {path.parent}"
        )
    if content.pieces.pieces != checkpoint.pieces.pieces:
        raise UsageError("expected the file of texts that the model learned from, got one of other pieces")
    tokens = np.concatenate([_first(text.held_out, sentences) for text in content.texts])
    # Costs of pieces to costs of words: what begins a word or ends a sentence begins a sum.
    costs = piece_costs(checkpoint.restore(), tokens, torch.device("cpu")).astype(np.float64)
    expected = -np.add.reduceat(costs, np.flatnonzero(content.begins_word[tokens]))
    words = _words(tokens, content)
    exact, packed = (_scores(model, words) for model in (unpacked(checkpoint), NeuralLm.load(path)))
    return Verdict(
        words=expected.size,
        rounding=float(np.abs(exact - expected).max()),
        mean=float(np.abs(packed - expected).mean()),
        network_perplexity=math.exp(-expected.mean()),
        perplexity=math.exp(-packed.mean()),
        size_bytes=path.stat().st_size,
    )


def unpacked(checkpoint: PieceCheckpoint) -> NeuralLm:
    """The runtime with the network's own weights."""
    weights = {name: weight.float().numpy() for name, weight in checkpoint.weights.items()}
    return NeuralLm(
        checkpoint.pieces,
        table=weights["table.weight"],
        bias=weights["bias"],
        layers=[
            LstmLayer(
                inputs=weights[f"cells.weight_ih_l{number}"].T,
                recurrent=weights[f"cells.weight_hh_l{number}"].T,
                bias=weights[f"cells.bias_ih_l{number}"] + weights[f"cells.bias_hh_l{number}"],
            )
            for number in range(checkpoint.recipe.network.layers)
        ],
        narrow=(weights["narrow.weight"].T, weights["narrow.bias"]),
    )


def _first(tokens: np.ndarray, sentences: int) -> np.ndarray:
    ends = np.flatnonzero(tokens == BOUNDARY)[:sentences]
    return tokens[: ends[-1] + 1] if ends.size else tokens[:0]


def _words(tokens: np.ndarray, content: TokenFile) -> list[list[str]]:
    """Sentences again."""
    pieces = ["\n", *content.pieces.pieces]
    text = "".join([pieces[token] for token in tokens.tolist()])
    return [line.removeprefix("_").split("_") for line in text.splitlines()]


def _scores(model: NeuralLm, sentences: list[list[str]]) -> np.ndarray:
    groups = [sentences[at : at + _AT_ONCE] for at in range(0, len(sentences), _AT_ONCE)]
    return np.concatenate([words for group in groups for words in model.score(group)])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument(
        "run_dir", type=Path, metavar="RUN_DIR", help="directory with neural-lm.pt and neural-lm.npz"
    )
    parser.add_argument("--texts", type=Path, required=True, metavar="FILE", help="what it learned from")
    parser.add_argument(
        "--sentences", type=int, default=200, metavar="N", help="of each text, default %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the comparison; 1 where the file disagrees."""
    path = args.run_dir / NEURAL_LM
    found = verify(
        load_pieces(args.run_dir), path, read_token_file(args.texts), sentences=max(1, args.sentences)
    )
    print(json.dumps(asdict(found) | {"agrees": found.agrees}) if args.json else found)
    return 0 if found.agrees else 1
