"""``python -m export train RECIPE``: from recordings with their words to a checkpoint.

Under ``torchrun`` every process learns its share of each epoch and gradients are averaged (DDP, gloo on
CPUs, nccl on GPUs).
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from edge_asr.errors import UsageError
from export.augment.spec_augment import SpecAugment
from export.average import Ending
from export.batches import Batch, BatchSource, take_turns
from export.checkpoint import MODEL_FILE, Checkpoint, load_checkpoint, save_checkpoint
from export.criterion import Criterion, Imitating, create_criterion
from export.learnset import (
    Learnset,
    gather,
    load_learnset,
    measure_front_end,
    recorded,
    share_of,
    without_training,
)
from export.net import create_network
from export.net.network import Constrained
from export.online.source import Online, fill_cache, measured_front_end
from export.processes import Processes
from export.quantize.imitate import imitate_int8, switch
from export.recipe import Recipe, read_recipe
from export.schedule import Schedule
from export.score import phone_errors
from export.teacher import Teacher, answer_loss, frame_loss, load_teacher
from export.transfer import sent

STATE_FILE = "training.pt"
"""What resuming needs beside the model."""
MEASURE_EVERY_S = 30.0
"""Where the clock ends a run, dev is measured no more often than this, and at the end."""
CONSTRAIN_EVERY = 4
"""Steps between two pulls towards a network's constraint (Povey et al., Interspeech 2018, section 2)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export train``."""
    parser.add_argument("recipe", type=Path, help="a file like export/recipes/NAME.toml")
    parser.add_argument("--out", type=Path, help="run directory (default runs/NAME)")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="features (default %(default)s)")
    parser.add_argument("--steps", type=int, help="stop each epoch after this many steps, to try a recipe")
    parser.add_argument("--minutes", type=float, help="stretch the recipe's epochs over this time")
    parser.add_argument("--seed", type=int, help="another one than the recipe's")
    parser.add_argument("--restart", action="store_true", help="begin anew instead of resuming")


def run(args: argparse.Namespace) -> int:
    """Train and leave ``model.pt`` in the run directory."""
    recipe = read_recipe(args.recipe)
    if args.seed is not None:
        recipe = dataclasses.replace(recipe, seed=args.seed)
    if recipe.prune:
        raise UsageError(
            f"{args.recipe}: prunes a trained network; run it with: python -m export prune {args.recipe}"
        )
    if args.minutes is not None and args.minutes <= 0:
        raise UsageError(f"--minutes must be above 0, got {args.minutes:g}")
    out = run_directory(args, recipe)
    with Processes.join() as processes:
        if args.minutes and processes.count > 1:
            raise UsageError("--minutes: processes that train together must agree on the step; use one")
        train_recipe(recipe, out, args.cache, processes, steps=args.steps, minutes=args.minutes)
    return 0


def run_directory(args: argparse.Namespace, recipe: Recipe) -> Path:
    """Where the run is kept; with ``--restart`` nothing is left there to resume."""
    out: Path = args.out or Path("runs") / recipe.name
    if args.restart:
        (out / STATE_FILE).unlink(missing_ok=True)
    return out


def train_recipe(
    recipe: Recipe,
    out: Path,
    cache: Path,
    processes: Processes,
    *,
    steps: int | None = None,
    minutes: float | None = None,
) -> Learnset:
    """Train what ``out`` does not hold yet, in all ``processes``, and leave ``model.pt`` there.

    Parameters
    ----------
    cache: of features; what it lacks is computed first.
    steps: bound of each epoch.
    minutes: that the run takes, whatever the recipe's epochs would.

    Returns
    -------
    What it was trained and measured on; only the latter where each utterance is distorted anew.

    Raises
    ------
    UsageError: the recipe asks for what does not fit together.
    """
    out.mkdir(parents=True, exist_ok=True)
    cached = without_training(recipe) if recipe.corpus.fresh else recipe  # only dev is in the cache then
    processes.share(lambda rank, count: gather(share_of(cached, rank, count), cache))
    teacher = load_teacher(recipe.training.teacher, processes.device)
    start = load_checkpoint(Path(recipe.training.start)) if recipe.training.start else None
    ending = Ending(recipe.training.mean, start)
    if start and teacher and start.front_end != teacher.front_end:
        raise UsageError(
            f"start and teacher both bring a front-end, and they differ: {recipe.training.start} must have "
            "been trained with the features of the teacher"
        )
    before, fresh = start or teacher, recipe.corpus.fresh
    if fresh:
        processes.share(lambda rank, _: fill_cache(recipe, cache) if rank == 0 else None)
    device = processes.device
    if before:
        front_end = before.front_end
    elif fresh:
        processes.share(lambda rank, _: measured_front_end(recipe, cache, device) if rank == 0 else None)
        front_end = measured_front_end(recipe, cache, device)
    else:
        front_end = measure_front_end(recipe, cache)
    processes.share(lambda *mine: load_learnset(share_of(cached, *mine), cache, front_end))
    data = load_learnset(cached, cache, front_end)
    source = Online(recipe, cache, front_end, device) if fresh else recorded(recipe, data)
    Trainer(recipe, data, source, teacher, out, processes, start=start, minutes=minutes).fit(steps=steps)
    if processes.leads:
        ending.write(out)
    return data


class Trainer:
    """One run: network, optimiser, schedule and what has happened so far.

    Parameters
    ----------
    data: what is measured; source: what is learned.
    start: where the weights come from, if they are not to start at random.
    minutes: what the run may take, if the clock is to end it.

    Raises
    ------
    UsageError: ``start`` is another network than the recipe's.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Learnset,
        source: BatchSource,
        teacher: Teacher | None,
        out: Path,
        processes: Processes,
        *,
        start: Checkpoint | None = None,
        minutes: float | None = None,
    ) -> None:
        self._recipe, self._data, self._out, self._processes = recipe, data, out, processes
        self._source = source
        torch.manual_seed(recipe.seed)
        self._config = {**recipe.network.options, "bins": data.front_end.bins, "outputs": len(data.tokens)}
        network = create_network(recipe.network.name, self._config)
        assert isinstance(network, nn.Module)
        if start:
            _begin_with(network, start, recipe)
        if recipe.training.quantization:
            imitate_int8(network, recipe.training.quantization)
        self._device = processes.device
        self._network = network.to(self._device)
        self._average = copy.deepcopy(self._network).eval()
        self._rounding = False
        self._model: nn.Module = (
            DistributedDataParallel(self._network) if processes.count > 1 else self._network
        )
        self._early, self._late = (self._criterion(name) for name in ("ctc", recipe.training.criterion.name))
        self._teacher = teacher
        taught = recipe.training.teacher
        if taught and taught.sequences and not isinstance(self._late, Imitating):
            raise UsageError(
                f"[training.teacher] sequences: criterion {recipe.training.criterion.name!r} knows no other "
                "sequences than the right one; use 'ctc-crf'"
            )
        self._token_mass = torch.zeros(len(data.tokens), dtype=torch.float64, device=self._device)
        self._mask = SpecAugment(recipe.training.spec_augment, data.front_end).to(self._device)
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(),
            lr=recipe.training.peak_rate,
            weight_decay=recipe.training.weight_decay,
            betas=(0.9, 0.98),
            fused=True,  # one pass over the weights
        )
        self._step = 0
        self._history: list[dict[str, Any]] = []
        steps = recipe.training.epochs * len(source.plan(0, processes.count)) // processes.count
        self._schedule = Schedule(recipe.training, steps=steps, minutes=minutes)
        self._passes = 0
        self._resume()

    def fit(self, *, steps: int | None = None) -> None:
        """Run the epochs that are left; ``steps`` bounds each of them."""
        writer = SummaryWriter(self._out / "tensorboard") if self._processes.leads else None
        started, losses, hours = time.monotonic(), [], 0.0
        self._token_mass.zero_()
        while not self._schedule.over(self._passes, self._step):
            loss, heard_s = self._pass(steps)
            losses.append(loss)
            hours += heard_s * self._processes.count / 3600
            seconds = time.monotonic() - started
            over = self._schedule.over(self._passes, self._step)
            if not self._processes.leads or (
                self._schedule.by_clock and seconds < MEASURE_EVERY_S and not over
            ):
                continue
            entry: dict[str, Any] = {"epoch": self._passes, "step": self._step}
            entry["loss"] = float(torch.stack(losses).mean())
            entry |= {f"per_{name}": per for name, per in self._measure().items()}
            entry |= {"seconds": round(time.monotonic() - started, 1), "machine": self._processes.machine}
            entry |= {"hours": round(hours, 4), "processes": self._processes.count}
            mass = self._token_mass.cpu()
            entry["priors"] = [round(float(p), 7) for p in mass / mass.sum()]
            self._history.append(entry)
            self._save()
            assert writer is not None
            for key, value in entry.items():
                if isinstance(value, float):
                    writer.add_scalar(key, value, self._passes)
            writer.flush()
            shown = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in entry.items() if k != "priors"}
            print("  ".join(f"{key} {value}" for key, value in shown.items()), flush=True)
            started, losses, hours = time.monotonic(), [], 0.0
            self._token_mass.zero_()
        if writer is not None:
            writer.close()

    def _pass(self, steps: int | None) -> tuple[Tensor, float]:
        """Once over the corpus: the mean loss per output frame, a scalar on the device, and seconds heard."""
        plan = self._source.plan(self._passes, self._processes.count)
        mine = list(take_turns(plan, self._processes.rank, self._processes.count))[:steps]
        rng = np.random.default_rng([self._recipe.seed, self._passes, self._processes.rank])
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**31)))
        self._network.train()
        losses, heard_s, done = torch.zeros((), device=self._device), 0.0, 0
        bar = tqdm(mine, desc=f"epoch {self._passes + 1}", disable=not self._processes.leads, mininterval=10)
        for chosen in bar:
            epoch = self._schedule.epoch(self._passes, self._step)
            self._imitate(epoch)
            batch = self._source.batch(
                chosen,
                lookahead_frames=self._network.lookahead_frames,
                subsampling=self._network.subsampling,
                rng=rng,
            )
            losses += self._learn(batch, generator, epoch)
            heard_s += self._source.seconds(chosen)
            done += 1
            if self._schedule.by_clock and self._schedule.over(self._passes, self._step):
                break
        self._passes += 1
        return losses / max(1, done), heard_s

    def _imitate(self, epoch: int) -> None:
        """Round as int8 does from the recipe's epoch on: what is measured is what will be heard."""
        quantization = self._recipe.training.quantization
        on = quantization is not None and epoch >= quantization.from_epoch
        if on != self._rounding:
            for network in (self._network, self._average):
                switch(network, on=on)
            self._rounding = on

    def _learn(self, batch: Batch, generator: torch.Generator, epoch: int) -> Tensor:
        """One step; returns the loss per output frame."""
        training = self._recipe.training
        for group in self._optimiser.param_groups:
            group["lr"] = self._schedule.rate(self._step)
        batch = dataclasses.replace(batch, features=sent(batch.features, self._device))
        features = self._mask(batch.features, batch.lengths, generator)
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=training.bf16):
            log_probs, _ = self._model(features)
        loss = self._loss(log_probs.float(), batch, epoch)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), training.clip_norm)
        self._optimiser.step()
        self._step += 1
        if self._step % CONSTRAIN_EVERY == 0 and isinstance(self._network, Constrained):
            self._network.constrain()
        decay = min(training.average_decay, self._step / (self._step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self._average.parameters()), list(self._network.parameters()), 1 - decay
            )
        return loss.detach()

    def _loss(self, log_probs: Tensor, batch: Batch, epoch: int) -> Tensor:
        """Loss per output frame: per label, a batch of noise would outweigh all speech."""
        subsampling = self._network.subsampling
        outputs = (batch.lengths + self._network.lookahead_frames + subsampling - 1) // subsampling
        heard = sent(torch.arange(log_probs.shape[1]) < outputs[:, None], self._device)
        self._token_mass += (log_probs.detach().exp() * heard[:, :, None]).sum(dim=(0, 1))
        training = self._recipe.training
        if training.teacher and epoch <= training.teacher.until_epoch:
            assert self._teacher is not None
            if training.teacher.answers:
                answers = self._teacher.answer(batch, log_probs.shape[1]).to(self._device)
                return answer_loss(log_probs, outputs, answers)
            return frame_loss(log_probs, outputs, self._teacher.align(batch, log_probs.shape[1]))
        criterion = self._early if epoch < training.criterion.from_epoch else self._late
        said = (sent(batch.labels, self._device), batch.label_lengths)
        if criterion is self._late and training.teacher and training.teacher.sequences:
            assert self._teacher is not None and isinstance(criterion, Imitating)
            answers = self._teacher.answer(batch, log_probs.shape[1]).to(self._device)
            weight = training.teacher.weight
            losses = criterion.imitate(log_probs, outputs, *said, answers=answers, weight=weight)
        else:
            losses = criterion(log_probs, outputs, *said)
        return losses / outputs.sum()

    def _criterion(self, name: str) -> Criterion:
        settings, tokens = self._recipe.training.criterion, len(self._data.tokens)
        labels = [row for row in self._source.labels if row]
        made = create_criterion(
            name, labels, tokens=tokens, order=settings.order, ctc_share=settings.ctc_share
        )
        return made.to(self._device)

    def _measure(self) -> dict[str, float]:
        """Greedy phone error rate of the averaged network on each dev set."""
        return {
            name: phone_errors(self._average, items, self._device) for name, items in self._data.dev.items()
        }

    def _save(self) -> None:
        save_checkpoint(
            self._out / MODEL_FILE,
            Checkpoint(
                network=self._recipe.network.name,
                config=self._config,
                weights={k: v.cpu() for k, v in self._average.state_dict().items()},
                front_end=self._data.front_end,
                tokens=self._data.tokens,
                recipe=dataclasses.asdict(self._recipe),
                history=self._history,
            ),
        )
        state = {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self._step,
            "history": self._history,
            "passes": self._passes,
            "elapsed_s": self._schedule.elapsed_s,
        }
        partial = self._out / (STATE_FILE + ".part")
        torch.save(state, partial)
        os.replace(partial, self._out / STATE_FILE)

    def _resume(self) -> None:
        path = self._out / STATE_FILE
        if not path.is_file():
            return
        state = torch.load(path, map_location=self._device, weights_only=True)
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step, self._history, self._passes = state["step"], state["history"], state["passes"]
        self._schedule.resume(state["elapsed_s"])
        if self._processes.leads:
            print(f"resuming after epoch {self._passes} of {path}")


def _begin_with(network: nn.Module, start: Checkpoint, recipe: Recipe) -> None:
    try:
        if start.network != recipe.network.name:
            raise RuntimeError(f"it is a {start.network}")
        network.load_state_dict(start.weights)
    except RuntimeError as error:
        raise UsageError(
            f"{recipe.training.start}: not the network of this recipe, {recipe.network.name}: {error}"
        ) from error
