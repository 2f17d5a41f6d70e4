"""The recordings that are measured on: dev splits of the corpora beside the repository."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_asr.errors import UsageError
from edge_asr.recognizer import DEFAULT_MODEL
from export.corpus import Utterance, read_set
from export.recipe import read_recipe

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
RECIPE = Path(__file__).resolve().parents[1] / "export" / "recipes" / f"{DEFAULT_MODEL}.toml"
"""What the packaged model was made by."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags that choose recordings."""
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the corpora (default %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="only N utterances of each set, evenly spread")


def dev_set(args: argparse.Namespace, name: str) -> list[Utterance]:
    """The dev utterances of a set; with ``--limit`` evenly spread over it.

    Raises
    ------
    UsageError: the set has none.
    """
    utterances = read_set(args.data, name, "dev")
    if not utterances:
        raise UsageError(f"{args.data / name}: no dev utterances")
    return evenly(utterances, args.limit)


def held_out(data: Path, name: str) -> list[Utterance]:
    """The recordings of a set without speakers that ``RECIPE`` holds out, so that its model never heard them.

    Raises
    ------
    UsageError: there are none.
    """
    patterns = read_recipe(RECIPE).corpus.held_out
    heard = {u.audio for u in read_set(data, name, "train", held_out=patterns)}
    unheard = [u for u in read_set(data, name, "train") if u.audio not in heard]
    if not unheard:
        raise UsageError(f"{data / name}: holds none of what {RECIPE.name} holds out: {', '.join(patterns)}")
    return unheard


def evenly(utterances: list[Utterance], count: int | None) -> list[Utterance]:
    """``count`` of the utterances, evenly spread, or all."""
    if not count or count >= len(utterances):
        return utterances
    return [utterances[i * len(utterances) // count] for i in range(count)]
