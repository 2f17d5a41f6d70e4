"""``python -m export neural-lm RECIPE``: train a neural language model on a file of texts."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from edge_asr.errors import UsageError
from export.neural_lm.checkpoint import NEURAL_LM_FILE
from export.neural_lm.recipe import read_piece_recipe
from export.neural_lm.token_file import read_token_file
from export.neural_lm.training import PieceTraining


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument("recipe", type=Path, help="a file like export/recipes/neural-lm.toml")
    parser.add_argument(
        "--texts", type=Path, required=True, metavar="FILE", help="what neural-lm-texts wrote"
    )
    parser.add_argument("--out", type=Path, help="run directory (default runs/NAME)")
    parser.add_argument(
        "--minutes",
        type=float,
        help="what the run may take, whatever is learned in it; else the recipe's epochs",
    )


def run(args: argparse.Namespace) -> int:
    """Train, and leave ``neural-lm.pt`` in the run directory.

    Raises
    ------
    UsageError: the recipe or the texts are wrong.
    """
    recipe = read_piece_recipe(args.recipe)
    if args.minutes is not None and not args.minutes > 0:
        raise UsageError(f"--minutes must be above 0, got {args.minutes:g}")
    out = args.out or Path("runs") / recipe.name
    out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    training = PieceTraining(recipe, read_token_file(args.texts), out, device=device, minutes=args.minutes)
    print(f"{len(training.learned)} sentences to learn on {device}", flush=True)
    training.fit()
    print(out / NEURAL_LM_FILE)
    return 0
