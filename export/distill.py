"""``python -m export distill RECIPE``: a large network teaches a small one, and what came of it.

Trains a recipe that has a teacher, as ``python -m export train`` does (resuming what was stopped, under
``torchrun`` with several processes), then compares the student with its teachers, and with what it was
before where the recipe names that.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import UsageError
from export import train
from export.checkpoint import MODEL_FILE, load_checkpoint
from export.criterion.phone_lm import phone_ngram
from export.learnset import Learnset
from export.phone_loop import bigram_loop
from export.processes import Processes
from export.recipe import read_recipe
from export.score import phone_errors, searched_phone_errors


@dataclass(frozen=True, kw_only=True)
class Row:
    """One network of the comparison."""

    role: str
    """``teacher``, or the student ``before`` and ``after``."""
    checkpoint: str
    """Its file."""
    weights: int
    """How many it has."""
    size_bytes: int
    """What they take as they were trained, in float."""
    greedy: dict[str, float]
    """Phone error rate of the best token of each frame, by dev set."""
    searched: dict[str, float]
    """Phone error rate of a search with the phone bigram of the training speech, by dev set."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export distill``: those of ``train``, and of the comparison."""
    train.add_arguments(parser)
    parser.add_argument(
        "--limit",
        type=int,
        default=40,
        metavar="N",
        help="compare on at most so many utterances of each dev set, evenly spread (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, the rest to stderr")


def run(args: argparse.Namespace) -> int:
    """Train what is missing, and print the comparison.

    Raises
    ------
    UsageError: the recipe has no teacher that is a network, or asks for what does not fit together.
    """
    recipe = read_recipe(args.recipe)
    taught = recipe.training.teacher
    if taught is None or Path(taught.checkpoint).suffix == ".npz":
        raise UsageError(
            f"{args.recipe}: expected a network's model.pt as [training.teacher] checkpoint, got "
            f"{taught.checkpoint if taught else 'no teacher'}; without one: python -m export train RECIPE"
        )
    if args.limit < 1:
        raise UsageError(f"--limit: expected at least 1, got {args.limit}")
    out = train.run_directory(args, recipe)
    with (
        Processes.join() as processes,
        contextlib.redirect_stdout(sys.stderr) if args.json else contextlib.nullcontext(),
    ):
        data = train.train_recipe(recipe, out, args.cache, processes, steps=args.steps)
    if not processes.leads:
        return 0
    networks = [("teacher", Path(name)) for name in (taught.checkpoint, *taught.others)]
    if recipe.training.start:
        networks.append(("before", Path(recipe.training.start)))
    rows = compare([*networks, ("after", out / MODEL_FILE)], data, limit=args.limit)
    if args.json:
        print(json.dumps({"name": recipe.name, "limit": args.limit, "networks": [asdict(r) for r in rows]}))
    else:
        print(table(rows))
    return 0


def compare(networks: list[tuple[str, Path]], data: Learnset, *, limit: int) -> list[Row]:
    """What each network (its role, its file) weighs and how well it hears, on ``limit`` of each dev set.

    Raises
    ------
    UsageError: a file is missing, or its network hears or tells apart something else.
    """
    said = [item.labels for item in data.train if item.labels]
    bigram = np.log(phone_ngram(said, tokens=len(data.tokens), order=2))
    search = Search(bigram_loop(bigram, Tokens(data.tokens)))
    dev = {name: items[:: math.ceil(len(items) / limit) or 1] for name, items in data.dev.items()}
    cpu = torch.device("cpu")
    rows = []
    with tqdm(total=len(networks) * len(dev), desc="comparing", disable=None) as bar:
        for role, path in networks:
            checkpoint = load_checkpoint(path)
            if (checkpoint.front_end, checkpoint.tokens) != (data.front_end, data.tokens):
                raise UsageError(f"{path}: expected the front-end and the tokens of the other networks")
            network = checkpoint.restore()
            greedy, searched = {}, {}
            for name, items in dev.items():
                greedy[name] = round(phone_errors(network, items, cpu), 4)
                searched[name] = round(searched_phone_errors(network, items, cpu, search), 4)
                bar.update()
            tensors = checkpoint.weights.values()
            rows.append(
                Row(
                    role=role,
                    checkpoint=str(path),
                    weights=sum(w.numel() for w in tensors),
                    size_bytes=sum(w.numel() * w.element_size() for w in tensors),
                    greedy=greedy,
                    searched=searched,
                )
            )
    return rows


def table(rows: list[Row]) -> str:
    """The comparison as lines of text: phone errors in percent, greedy and searched."""
    sets = list(rows[0].greedy)
    lines = [["", "weights", "bytes", *(f"{name}, greedy / searched" for name in sets)]]
    for row in rows:
        errors = [f"{row.greedy[name]:.1%} / {row.searched[name]:.1%}" for name in sets]
        lines.append([row.role, f"{row.weights:,}", f"{row.size_bytes:,}", *errors])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines
    )
