"""Pruning from a checkpoint to a checkpoint: cuts, each followed by fine-tuning, until the budget is met.

Each round has a folder of its own, ``round-N``: ``start.pt`` is what the cut left, and the rest is what
training leaves. So a run that was stopped goes on where it was.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from edge_asr.errors import UsageError
from export.batches import Item
from export.checkpoint import MODEL_FILE, Checkpoint, load_checkpoint, save_checkpoint
from export.learnset import Learnset, recorded
from export.net import create_network
from export.processes import Processes
from export.prune import groups_of
from export.prune.config import PruneConfig
from export.prune.cost import cost
from export.prune.hearing import Hearing
from export.prune.importance import Worth, magnitude, taylor
from export.prune.masks import MaskedTrainer, sparse
from export.prune.picture import draw_sensitivity
from export.prune.report import Report, stage_of
from export.prune.selection import per_cost, select, whole
from export.prune.sensitivity import Curve, analyse, bounds, render
from export.prune.training_loss import training_batches, training_loss
from export.prune.units import Group, cut, narrowed
from export.recipe import Recipe
from export.recipe_text import recipe_text
from export.score import phone_errors
from export.teacher import Teacher
from export.train import Trainer

START_FILE = "start.pt"
"""What a cut left."""
RECIPE_FILE = "recipe.toml"
"""A recipe of the pruned network, to train it further or to unpack it."""


def load_start(recipe: Recipe) -> Checkpoint:
    """The checkpoint that a recipe prunes.

    Raises
    ------
    UsageError: the recipe prunes nothing, or the checkpoint is another network than the recipe's.
    """
    if recipe.prune is None:
        raise UsageError(f"recipe {recipe.name!r} has no table [prune]: it must say what to start from")
    start = load_checkpoint(Path(recipe.prune.start))
    ends = {name: start.config.get(name) for name in ("bins", "outputs")}
    network = create_network(recipe.network.name, {**recipe.network.options, **ends})
    expected = {name: tuple(w.shape) for name, w in network.state_dict().items()}
    if start.network != recipe.network.name or expected != {
        n: tuple(w.shape) for n, w in start.weights.items()
    }:
        raise UsageError(
            f"{recipe.prune.start}: not the network of this recipe, {recipe.network.name} with "
            f"{recipe.network.options}"
        )
    return start


class Pruner:
    """One run.

    Parameters
    ----------
    kind: ``structured``, or one of ``export.prune.masks.KINDS``.
    budget: ``macs`` or ``bytes``, and how many of them may stay.
    tune: False makes one cut and leaves it as it is.
    """

    def __init__(
        self,
        recipe: Recipe,
        start: Checkpoint,
        data: Learnset,
        teacher: Teacher | None,
        out: Path,
        processes: Processes,
        *,
        kind: str = "structured",
        budget: tuple[str, float] | None = None,
        tune: bool = True,
    ) -> None:
        assert recipe.prune is not None
        self._recipe, self._config, self._start = recipe, recipe.prune, start
        self._data, self._teacher, self._out, self._processes = data, teacher, out, processes
        self._kind, (self._measure, self._limit) = kind, budget or budget_of(recipe.prune)
        self._tunes = tune
        settings = {
            "recipe": recipe.name,
            "kind": kind,
            "tuning": tune,
            "prune": dataclasses.asdict(recipe.prune),
        }
        self._report = Report.resume(out, {**settings, "measure": self._measure, "limit": self._limit})

    def run(self, *, steps: int | None = None) -> Report:
        """Prune and leave ``model.pt``; returns what was done, in the leading process.

        ``steps`` bounds each epoch.
        """
        rounds = self._config.rounds if self._tunes else 1
        checkpoint, history = self._start, []
        self._note("before", self._start)
        for number in range(1, rounds + 1):
            folder = self._out / f"round-{number}"
            self._lead(lambda n=number, c=checkpoint, f=folder: self._cut(n, rounds, c, f))
            checkpoint = load_checkpoint(folder / START_FILE)
            self._note(f"cut {number}", checkpoint)
            if self._tunes:
                last = number == rounds
                epochs = self._recipe.training.epochs if last else self._config.round_epochs
                self._tune(checkpoint, folder, epochs, steps)
                self._lead(lambda: None)  # the others wait until it is written
                checkpoint = load_checkpoint(folder / MODEL_FILE)
                self._note(f"tuned {number}", checkpoint)
                history += checkpoint.history
        self._lead(lambda: self._finish(checkpoint, history))
        return self._report

    def _lead(self, work: Any) -> None:
        self._processes.share(lambda rank, _: work() if rank == 0 else None)

    def _note(self, name: str, checkpoint: Checkpoint) -> None:
        if not self._processes.leads or self._report.has(name):
            return
        network = _module(checkpoint).to(self._processes.device)
        errors = {
            of: round(phone_errors(network, items, self._processes.device), 5)
            for of, items in self._data.dev.items()
        }
        self._report.stages.append(stage_of(name, checkpoint, errors))
        self._report.save(self._out)
        print(self._report.render())

    def _cut(self, number: int, rounds: int, before: Checkpoint, folder: Path) -> None:
        """Leave the network of this round in ``folder``, unless it is there."""
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / START_FILE).is_file():
            return
        full = _cost(self._start, self._measure)
        limit = full * (self._limit / full) ** (number / rounds)
        if self._kind != "structured":
            # As many weights go as of a structured budget; nothing gets cheaper.
            after = sparse(before, self._kind, 1 - limit / full)
        else:
            after = self._narrower(before, limit, folder)
        save_checkpoint(folder / START_FILE, after)

    def _narrower(self, before: Checkpoint, limit: float, folder: Path) -> Checkpoint:
        if _cost(before, self._measure) <= limit:
            return before
        config, groups = self._config, groups_of(before.network, before.config, self._config.parts)
        worth = units_worth(self._recipe, before, self._data, groups, self._processes)

        def price(counts: Mapping[str, int]) -> float:
            return _cost(before, self._measure, groups, counts)

        stays = {group.name: config.least_share for group in groups}
        if config.sensitivity:
            few = few_of_each(self._data, config.utterances)
            figures, curves = analyse(before, groups, worth, few, self._processes.device)
            write_sensitivity(figures, curves, folder, title=self._recipe.name)
            stays = bounds(
                figures,
                curves,
                groups,
                meets=lambda counts: price(counts) <= limit,
                least_share=config.least_share,
            )
        if config.importance == "taylor":
            worth = per_cost(worth, groups, price)
        kept = select(groups, worth, price=price, limit=limit, stays=stays, multiple=config.multiple)
        for group in groups:
            print(f"{group.name}: {len(kept[group.name])} of {group.units} units stay")
        return cut(before, groups, kept)

    def _tune(self, checkpoint: Checkpoint, folder: Path, epochs: int, steps: int | None) -> None:
        training = dataclasses.replace(self._recipe.training, epochs=epochs)
        recipe = _with_network(dataclasses.replace(self._recipe, training=training), checkpoint)
        kind = Trainer if self._kind == "structured" else MaskedTrainer
        source = recorded(recipe, self._data)
        trainer = kind(recipe, self._data, source, self._teacher, folder, self._processes, start=checkpoint)
        if isinstance(trainer, MaskedTrainer):
            trainer.hold(checkpoint)
        trainer.fit(steps=steps)

    def _finish(self, checkpoint: Checkpoint, history: list[dict[str, Any]]) -> None:
        """Write the checkpoint with the history of all rounds, and a recipe that has its shape."""
        numbered = [{**entry, "epoch": i} for i, entry in enumerate(history, start=1)]
        recipe = _with_network(self._recipe, checkpoint)
        final = dataclasses.replace(checkpoint, recipe=dataclasses.asdict(recipe), history=numbered)
        save_checkpoint(self._out / MODEL_FILE, final)
        training = dataclasses.replace(recipe.training, start=str(self._out / MODEL_FILE), teacher=None)
        onward = dataclasses.replace(recipe, training=training, prune=None)
        text = recipe_text(
            onward, comment=f"{recipe.name} as it was pruned, to be trained further or unpacked."
        )
        (self._out / RECIPE_FILE).write_text(text, encoding="utf-8")
        self._report.widths = {
            name: value for name, value in final.config.items() if value != self._start.config.get(name)
        }
        self._report.save(self._out)


def budget_of(config: PruneConfig) -> tuple[str, float]:
    """``macs`` or ``bytes``, and how many of them may stay."""
    if config.budget_macs is not None:
        return "macs", config.budget_macs
    assert config.budget_bytes is not None
    return "bytes", config.budget_bytes


def units_worth(
    recipe: Recipe, checkpoint: Checkpoint, data: Learnset, groups: list[Group], processes: Processes
) -> Worth:
    """What each unit is worth, by the recipe's importance."""
    assert recipe.prune is not None
    if recipe.prune.importance == "magnitude":
        return magnitude(checkpoint.weights, groups)
    network = _module(checkpoint).to(processes.device)
    batches = training_batches(recipe, data, network, recipe.prune.batches)
    return taylor(network, batches, training_loss(recipe, data, network), groups)


def few_of_each(data: Learnset, count: int) -> list[Item]:
    """Every n-th utterance of each dev set, at most ``count`` of each."""
    return [item for items in data.dev.values() for item in items[:: max(1, -(-len(items) // count))]]


def write_sensitivity(figures: Hearing, curves: list[Curve], folder: Path, *, title: str) -> dict[str, Any]:
    """``sensitivity.json`` and ``sensitivity.png``, and the table on the screen; plain values come back."""
    values = {"whole": dataclasses.asdict(figures), "curves": [dataclasses.asdict(c) for c in curves]}
    (folder / "sensitivity.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    draw_sensitivity(figures, curves, folder / "sensitivity.png", title=title)
    print(render(figures, curves))
    return values


def _cost(
    checkpoint: Checkpoint,
    measure: str,
    groups: list[Group] | None = None,
    counts: Mapping[str, int] | None = None,
) -> float:
    config = checkpoint.config
    if groups and counts:
        kept = {name: np.arange(count) for name, count in {**whole(groups), **counts}.items()}
        config = narrowed(config, groups, kept)
    shift_ms = checkpoint.front_end.mfcc.frame_shift_ms
    return cost(checkpoint.network, config, frame_shift_ms=shift_ms).of(measure)


def _module(checkpoint: Checkpoint) -> Any:
    network = checkpoint.restore()
    assert isinstance(network, nn.Module)
    return network


def _with_network(recipe: Recipe, checkpoint: Checkpoint) -> Recipe:
    """The recipe with the shape of the checkpoint's network."""
    options = {k: v for k, v in checkpoint.config.items() if k not in ("bins", "outputs")}
    return dataclasses.replace(recipe, network=dataclasses.replace(recipe.network, options=options))
