"""``python -m export prune RECIPE``: a smaller network of a trained one, fine-tuned.

The recipe's table ``[prune]`` says what to start from, and the budget; ``[training]`` is the fine-tuning.
Under ``torchrun`` all processes train together, as with ``train``. What it leaves is a run's directory like
any other.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edge_asr.errors import UsageError
from export.checkpoint import MODEL_FILE, Checkpoint, load_checkpoint
from export.learnset import Learnset, gather, load_learnset, share_of
from export.processes import Processes
from export.prune import groups_of, parts_of
from export.prune.cost import cost
from export.prune.masks import KINDS
from export.prune.report import REPORT_FILE
from export.prune.rounds import (
    Pruner,
    budget_of,
    few_of_each,
    load_start,
    units_worth,
    write_sensitivity,
)
from export.prune.sensitivity import analyse
from export.recipe import Recipe, read_recipe
from export.teacher import load_teacher


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export prune``."""
    parser.add_argument("recipe", type=Path, help="a recipe with a table [prune]")
    parser.add_argument(
        "--out", type=Path, help="run directory (default runs/NAME, of other kinds NAME-KIND)"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), help="feature cache (default %(default)s)"
    )
    parser.add_argument(
        "--kind",
        choices=("structured", *KINDS),
        default="structured",
        help="cut units out (the default), or put weights to zero, which makes nothing smaller or faster",
    )
    parser.add_argument("--share", type=float, help="in the place of the budget: share of the start's cost")
    parser.add_argument(
        "--sensitivity", action="store_true", help="only cut each layer alone, and say what it costs"
    )
    parser.add_argument("--no-tuning", action="store_true", help="one cut, and no training after it")
    parser.add_argument("--steps", type=int, help="stop each epoch after this many steps, to try a recipe")
    parser.add_argument("--restart", action="store_true", help="begin anew instead of resuming")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object at the end")


def run(args: argparse.Namespace) -> int:
    """Prune, and print what became of the network."""
    recipe = read_recipe(args.recipe)
    start = load_start(recipe)
    assert recipe.prune is not None
    groups_of(start.network, start.config, recipe.prune.parts)  # a wrong part is no news for later
    if args.share is not None and not 0 < args.share <= 1:
        raise UsageError(f"--share: expected a share above 0 and at most 1, got {args.share}")
    kind = "" if args.kind == "structured" else "-" + args.kind.replace(":", "of")
    out = args.out or Path("runs") / f"{recipe.name}{kind}"
    # With --json nothing but the report goes to the standard output.
    shown = contextlib.redirect_stdout(sys.stderr if args.json else sys.stdout)
    with shown, Processes.join() as processes:
        if args.restart:
            processes.share(lambda rank, _: _clear(out) if rank == 0 else None)
        out.mkdir(parents=True, exist_ok=True)
        work = _sensitivity if args.sensitivity else _prune
        report = work(recipe, start, out, args, processes)
        leads = processes.leads
    if leads and args.json:
        print(json.dumps(report))
    return 0


def _prune(
    recipe: Recipe, start: Checkpoint, out: Path, args: argparse.Namespace, processes: Processes
) -> dict[str, Any]:
    """Prune, and print what became of the network; the report comes back."""
    assert recipe.prune is not None
    if recipe.corpus.fresh:
        raise UsageError("prune learns from the cache: leave fresh of [corpus] away")
    teacher = load_teacher(recipe.training.teacher, processes.device)
    if teacher and teacher.front_end != start.front_end:
        raise UsageError(f"{recipe.prune.start}: its front-end is not that of the teacher")
    data = _learnset(recipe, start, args, processes, train=not args.no_tuning)
    budget = budget_of(recipe.prune)
    if args.share is not None:
        full = cost(start.network, start.config, frame_shift_ms=start.front_end.mfcc.frame_shift_ms)
        budget = (budget[0], args.share * full.of(budget[0]))
    pruner = Pruner(
        recipe, start, data, teacher, out, processes, kind=args.kind, budget=budget, tune=not args.no_tuning
    )
    report = pruner.run(steps=args.steps)
    if processes.leads and find_spec("onnx"):
        from export.prune.timing import checkpoint_times

        report.step_ms = checkpoint_times({"before": start, "pruned": load_checkpoint(out / MODEL_FILE)})
        report.save(out)
    if processes.leads:
        print(report.render())
    return report.as_dict()


def _sensitivity(
    recipe: Recipe, start: Checkpoint, out: Path, args: argparse.Namespace, processes: Processes
) -> dict[str, Any]:
    """Write and print the analysis; processes beside the leading one have nothing to do."""
    assert recipe.prune is not None
    data = _learnset(recipe, start, args, processes, train=False)
    if not processes.leads:
        return {}
    # All kinds of units, the costly ones too, unless the recipe names some.
    every = recipe.prune.parts or parts_of(start.network, start.config)
    groups = groups_of(start.network, start.config, every)
    worth = units_worth(recipe, start, data, groups, processes)
    items = few_of_each(data, recipe.prune.utterances)
    figures, curves = analyse(start, groups, worth, items, processes.device)
    return write_sensitivity(figures, curves, out, title=recipe.name)


def _learnset(
    recipe: Recipe, start: Checkpoint, args: argparse.Namespace, processes: Processes, *, train: bool
) -> Learnset:
    """The speech that is needed: the dev sets, and what is trained on if there is use for it."""
    assert recipe.prune is not None
    structured = args.kind == "structured"
    if not train and not (structured and recipe.prune.importance == "taylor"):
        recipe = dataclasses.replace(recipe, corpus=dataclasses.replace(recipe.corpus, train=(), nonspeech=0))
    if processes.count > 1:  # fill the cache together
        processes.share(lambda rank, count: gather(share_of(recipe, rank, count), args.cache))
        processes.share(lambda *mine: load_learnset(share_of(recipe, *mine), args.cache, start.front_end))
    return load_learnset(recipe, args.cache, start.front_end)


def _clear(out: Path) -> None:
    """Take away what an earlier run left, and nothing else."""
    (out / REPORT_FILE).unlink(missing_ok=True)
    for folder in out.glob("round-*"):
        shutil.rmtree(folder)
