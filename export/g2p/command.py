"""``python -m export g2p RECIPE``: from a pronouncing dictionary to a letter-to-phone model."""

from __future__ import annotations

import argparse
from pathlib import Path

from export.dictionary import Dictionary
from export.g2p.recipe import read_g2p_recipe
from export.g2p.training import STATE_FILE, G2pTraining


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument("recipe", type=Path, help="a file like export/recipes/g2p.toml")
    parser.add_argument("--out", type=Path, help="run directory (default runs/NAME)")
    parser.add_argument("--restart", action="store_true", help="begin anew instead of resuming")


def run(args: argparse.Namespace) -> int:
    """Train and leave ``g2p.pt`` in the run directory.

    Raises
    ------
    UsageError: the recipe is wrong, or the run there is of another one.
    """
    recipe = read_g2p_recipe(args.recipe)
    out = args.out or Path("runs") / recipe.name
    out.mkdir(parents=True, exist_ok=True)
    if args.restart:
        (out / STATE_FILE).unlink(missing_ok=True)
    dictionary = Dictionary.load(Path(recipe.dictionary) if recipe.dictionary else None)
    training = G2pTraining(recipe, dictionary, out)
    print(f"{len(training.lessons)} words to learn, {training.lessons.left_out} left out: too many phones")
    training.fit()
    print(f"{training.measure()}, {out / 'g2p.pt'}")
    return 0
