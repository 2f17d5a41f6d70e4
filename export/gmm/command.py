"""``python -m export gmm RECIPE``: GMM-HMMs of a recipe's speech, and where its phones are."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from export.gmm.alignment import ALIGNMENT_FILE, save_alignments
from export.gmm.model import GMM_FILE, Gmm
from export.gmm.speech import load_speech
from export.gmm.training import GmmTraining
from export.learnset import TOKENS, measure_front_end
from export.recipe import read_recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export gmm``."""
    parser.add_argument("recipe", type=Path, help="a file like export/recipes/gmm.toml")
    parser.add_argument("--out", type=Path, help="run directory (default runs/NAME)")
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), help="feature cache (default %(default)s)"
    )
    parser.add_argument("--restart", action="store_true", help="begin anew instead of resuming")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")


def run(args: argparse.Namespace) -> int:
    """Train and leave ``gmm.npz``, written after each pass, and ``alignments.npz`` in the run directory.

    Raises
    ------
    UsageError: the recipe is wrong, or the model there was made with other settings.
    BundleError: the model there cannot be read.
    """
    recipe = read_recipe(args.recipe)
    out = args.out or Path("runs") / recipe.name
    out.mkdir(parents=True, exist_ok=True)
    path = out / GMM_FILE
    model = Gmm.load(path) if path.is_file() and not args.restart else None
    if model is not None:
        print(f"resuming after {len(model.history)} passes of {path}", file=sys.stderr)
    # Standard output is for results; what the corpus leaves out is told on the way.
    with contextlib.redirect_stdout(sys.stderr):
        front_end = measure_front_end(recipe, args.cache)
        train, dev = load_speech(recipe, args.cache, front_end)
    training = GmmTraining(recipe.gmm, front_end, TOKENS, train, dev)

    def keep(model: Gmm) -> None:
        model.save(path)
        if not args.json and not model.finished:
            print("  ".join(f"{k} {_short(v)}" for k, v in model.history[-1].items()), flush=True)

    model = training.fit(model, keep)
    started = time.monotonic()
    alignments = training.alignments(model)
    save_alignments(out / ALIGNMENT_FILE, alignments)
    systems = [e for e in model.history if any(k.startswith("per_") for k in e)]
    summary = {
        "model": str(path),
        "alignments": str(out / ALIGNMENT_FILE),
        "utterances": len(alignments),
        "left_out": len(train) - len(alignments),
        "align_seconds": round(time.monotonic() - started, 2),
        "systems": systems,
    }
    if args.json:
        print(json.dumps(summary))
    else:
        print(f"{len(alignments)} utterances aligned -> {summary['alignments']}")
        for entry in systems:
            rates = (f"{k[4:]} {100 * v:.1f} %" for k, v in entry.items() if k.startswith("per_"))
            print(f"phone error rate, {entry['stage']}: {', '.join(rates)}")
    return 0


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
