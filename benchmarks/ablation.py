"""``python -m benchmarks.ablation``: what each ingredient of a model bought.

Trains one recipe with ever more of its ingredients (benchmarks/ingredients.py) into ``runs/ablation/STAGE``,
resuming what was stopped and leaving alone what is done, then measures the averaged float network of each
stage on dev speakers: phones with a phone bigram, in quiet and in noisy rooms, and words of free text. The
search takes no and some of the tokens' log priors off: CTC needs that, a sequence criterion learns it.
``OMP_NUM_THREADS=1 torchrun --nproc-per-node 2 -m benchmarks.ablation`` trains with two processes.
Writes ``results/ablation.json``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from benchmarks import corpus
from benchmarks.accuracy import KITCHEN_TABLE
from benchmarks.conditions import CLEAN, Condition, Scene
from benchmarks.first_light import PHONE_SETS, phone_loop
from benchmarks.ingredients import STAGES, differences, stages
from benchmarks.result import write_result
from edge_asr.arrays import Float32Array
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.search import Search
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import UsageError
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc
from edge_asr.recognizer import DEFAULT_MODEL, Recognizer
from export.checkpoint import MODEL_FILE, Checkpoint, load_checkpoint
from export.dictionary import Dictionary
from export.learnset import TOKENS, phone_labels
from export.net.engine import whole_file
from export.pack import token_offsets
from export.processes import Processes
from export.recipe import Recipe, read_recipe
from export.train import train_recipe

RECIPE = Path(__file__).parents[1] / "export" / "recipes" / "ablation.toml"
FREE_TEXT = "librispeech"
"""Set whose words are measured, and whose phones in noisy rooms."""
PRIOR_SCALES = (0.0, 0.3, 0.6)
"""Shares of the log priors that the search takes off."""


def main() -> int:
    """Train what is missing, measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="the last stage (default %(default)s)")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES, help="only these")
    parser.add_argument("--epochs", type=int, help="of each stage, in the place of the recipe's")
    parser.add_argument(
        "--steps", type=int, help="stop each epoch after this many, to try; with its own --out"
    )
    parser.add_argument("--measure-only", action="store_true", help="train nothing, measure what is done")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/ablation"), help="folder of the runs (default %(default)s)"
    )
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="for features and rooms")
    corpus.add_arguments(parser)
    parser.set_defaults(limit=40)
    args = parser.parse_args()
    recipes = {name: recipe for name, recipe in planned(args).items() if name in args.stages}
    with Processes.join() as processes:
        if not args.measure_only:
            for name, recipe in recipes.items():
                if finished(args.out / name, recipe) is None:
                    train_recipe(recipe, args.out / name, args.cache, processes, steps=args.steps)
    if not processes.leads:
        return 0
    done = {name: finished(args.out / name, recipe) for name, recipe in recipes.items()}
    figures = {"limit": args.limit, "stages": measure(args, {k: c for k, c in done.items() if c is not None})}
    path = write_result("ablation", figures)
    print(json.dumps(figures, indent=1))
    print(f"written to {path}")
    return 0


def planned(args: argparse.Namespace) -> dict[str, Recipe]:
    """Stage -> recipe, with as many epochs as were asked for."""
    recipe = read_recipe(args.recipe)
    epochs = args.epochs or recipe.training.epochs
    training = dataclasses.replace(recipe.training, epochs=epochs)
    return stages(dataclasses.replace(recipe, training=training))


def finished(run: Path, recipe: Recipe) -> Checkpoint | None:
    """What a run left behind, if it is through with its recipe.

    Raises
    ------
    UsageError: the run is one of another recipe.
    """
    path = run / MODEL_FILE
    if not path.is_file():
        return None
    checkpoint = load_checkpoint(path)
    if changed := differences(recipe, checkpoint.recipe):
        raise UsageError(
            f"{run}: trained by another recipe, which differs in {', '.join(changed)}: remove it, or choose "
            "another --out"
        )
    return checkpoint if len(checkpoint.history) >= recipe.training.epochs else None


def measure(args: argparse.Namespace, done: dict[str, Checkpoint]) -> dict[str, dict[str, Any]]:
    """Stage -> what it cost and how well it hears.

    Raises
    ------
    UsageError: no stage is done.
    """
    if not done:
        raise UsageError(f"{args.out}: no stage is done; train with: python -m benchmarks.ablation")
    bench = Bench(args)
    figures = {}
    for name, checkpoint in done.items():
        print(f"measuring {name}", file=sys.stderr, flush=True)
        figures[name] = cost(checkpoint) | {
            "phone_error_rate": {s: bench.phones(checkpoint, s, CLEAN) for s in PHONE_SETS},
            "phone_error_rate_noisy": bench.phones(checkpoint, FREE_TEXT, KITCHEN_TABLE),
            "word_error_rate": bench.words(checkpoint, FREE_TEXT),
        }
    return figures


def cost(checkpoint: Checkpoint) -> dict[str, Any]:
    """Size of a network and what its training took: audio heard in hours, wall time in seconds."""
    history = checkpoint.history
    return {
        "weights": sum(weights.numel() for weights in checkpoint.weights.values()),
        "epochs": len(history),
        "hours_heard": round(sum(entry["hours"] for entry in history), 2),
        "seconds": round(sum(entry["seconds"] for entry in history)),
        "processes": sorted({entry["processes"] for entry in history}),
        "machines": sorted({entry["machine"] for entry in history}),
    }


def hearing(checkpoint: Checkpoint) -> Callable[[Float32Array], Float32Array]:
    """A checkpoint's float network: samples (n,) of a recording -> log-probabilities (outputs, tokens)."""
    network, front_end = checkpoint.restore(), checkpoint.front_end
    return lambda samples: whole_file(network, cmvn(mfcc(samples, front_end.mfcc), front_end.cmvn))


class Bench:
    """What all stages are measured with: the same recordings, graphs and noises.

    Raises
    ------
    UsageError: the packaged model, whose word loop serves, knows other tokens.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._dictionary = Dictionary.load()
        self._scene = Scene(args.data, args.cache)
        self._phone_loop = phone_loop(args, Tokens(TOKENS), self._dictionary)
        recognizer = Recognizer.load(DEFAULT_MODEL)
        self._word_loop, self._decoder = recognizer.word_loop(), recognizer.bundle.config.decoder
        if self._word_loop.tokens != TOKENS:
            raise UsageError(f"{DEFAULT_MODEL}: expected a model with the tokens of export/learnset.py")

    def phones(self, checkpoint: Checkpoint, name: str, condition: Condition) -> dict[str, float]:
        """Phone error rate on a set in a condition, by the share of the priors that is taken off."""
        hear = hearing(checkpoint)
        searches = {
            scale: Search(self._phone_loop, token_offsets=token_offsets(checkpoint, scale))
            for scale in PRIOR_SCALES
        }
        errors = dict.fromkeys(PRIOR_SCALES, 0)
        phones = 0
        utterances = corpus.dev_set(self._args, name)
        for utterance in tqdm(utterances, desc=f"phones {name}, {condition.name}", disable=None):
            labels = phone_labels(utterance, self._dictionary)
            if labels is None:
                continue
            log_probs = hear(self._scene.hear(utterance, condition))
            for scale, search in searches.items():
                search.reset()
                search.push(log_probs)
                heard = [token for hit in search.finish().words for token in hit.phones]
                errors[scale] += Levenshtein.distance(heard, labels)
            phones += len(labels)
        return {f"{scale:g}": round(count / phones, 4) for scale, count in errors.items()}

    def words(self, checkpoint: Checkpoint, name: str) -> dict[str, float]:
        """Word error rate of free text on a set, by the share of the priors that is taken off."""
        hear, decoder = hearing(checkpoint), self._decoder
        kind = NgramSearch if self._word_loop.lm else Search
        searches = {
            scale: kind(
                self._word_loop,
                beam=decoder.beam,
                max_active=decoder.max_active,
                token_offsets=token_offsets(checkpoint, scale),
            )
            for scale in PRIOR_SCALES
        }
        said: list[str] = []
        heard: dict[float, list[str]] = {scale: [] for scale in PRIOR_SCALES}
        for utterance in tqdm(corpus.dev_set(self._args, name), desc=f"words {name}", disable=None):
            log_probs = hear(self._scene.hear(utterance, CLEAN))
            said.append(utterance.text)
            for scale, search in searches.items():
                search.reset()
                search.push(log_probs)
                heard[scale].append(search.finish().text)
        return {f"{scale:g}": round(jiwer.wer(said, texts), 4) for scale, texts in heard.items()}


if __name__ == "__main__":
    sys.exit(main())
