"""``python -m export train RECIPE``: from recordings with their words to a checkpoint.

Under ``torchrun`` every process learns its share of each epoch and gradients are averaged (DDP, gloo on
CPUs, nccl on GPUs).
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import math
import os
import platform
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
from export.batches import Batch, collate, plan_epoch, take_turns
from export.checkpoint import MODEL_FILE, Checkpoint, load_checkpoint, save_checkpoint
from export.criterion import Criterion, Imitating, create_criterion
from export.learnset import Learnset, gather, load_learnset, measure_front_end, share_of
from export.net import create_network
from export.net.network import Constrained
from export.processes import Processes
from export.quantize.imitate import imitate_int8, switch
from export.recipe import Recipe, read_recipe
from export.score import phone_errors
from export.teacher import Teacher, answer_loss, frame_loss, load_teacher

STATE_FILE = "training.pt"
"""What resuming needs beside the model."""
CONSTRAIN_EVERY = 4
"""Steps between two pulls towards a network's constraint (Povey et al., Interspeech 2018, section 2)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export train``."""
    parser.add_argument("recipe", type=Path, help="a file like export/recipes/NAME.toml")
    parser.add_argument("--out", type=Path, help="run directory (default runs/NAME)")
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), help="feature cache (default %(default)s)"
    )
    parser.add_argument("--steps", type=int, help="stop each epoch after this many steps, to try a recipe")
    parser.add_argument("--restart", action="store_true", help="begin anew instead of resuming")


def run(args: argparse.Namespace) -> int:
    """Train and leave ``model.pt`` in the run directory."""
    recipe = read_recipe(args.recipe)
    if recipe.prune:
        raise UsageError(
            f"{args.recipe}: prunes a trained network; run it with: python -m export prune {args.recipe}"
        )
    out = run_directory(args, recipe)
    with Processes.join() as processes:
        train_recipe(recipe, out, args.cache, processes, steps=args.steps)
    return 0


def run_directory(args: argparse.Namespace, recipe: Recipe) -> Path:
    """Where the run is kept; with ``--restart`` nothing is left there to resume."""
    out: Path = args.out or Path("runs") / recipe.name
    if args.restart:
        (out / STATE_FILE).unlink(missing_ok=True)
    return out


def train_recipe(
    recipe: Recipe, out: Path, cache: Path, processes: Processes, *, steps: int | None = None
) -> Learnset:
    """Train what ``out`` does not hold yet, in all ``processes``, and leave ``model.pt`` there.

    Parameters
    ----------
    cache: of features; what it lacks is computed first.
    steps: bound of each epoch.

    Returns
    -------
    What it was trained and measured on.

    Raises
    ------
    UsageError: the recipe asks for what does not fit together.
    """
    out.mkdir(parents=True, exist_ok=True)
    processes.share(lambda rank, count: gather(share_of(recipe, rank, count), cache))
    teacher = load_teacher(recipe.training.teacher)
    start = load_checkpoint(Path(recipe.training.start)) if recipe.training.start else None
    if start and teacher and start.front_end != teacher.front_end:
        raise UsageError(
            f"start and teacher both bring a front-end, and they differ: {recipe.training.start} must have "
            "been trained with the features of the teacher"
        )
    before = start or teacher
    front_end = before.front_end if before else measure_front_end(recipe, cache)
    processes.share(lambda *mine: load_learnset(share_of(recipe, *mine), cache, front_end))
    data = load_learnset(recipe, cache, front_end)
    Trainer(recipe, data, teacher, out, processes, start=start).fit(steps=steps)
    return data


class Trainer:
    """One run: network, optimiser, schedule and what has happened so far.

    Parameters
    ----------
    start: where the weights come from, if they are not to start at random.

    Raises
    ------
    UsageError: ``start`` is another network than the recipe's.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Learnset,
        teacher: Teacher | None,
        out: Path,
        processes: Processes,
        *,
        start: Checkpoint | None = None,
    ) -> None:
        self._recipe, self._data, self._out, self._processes = recipe, data, out, processes
        torch.manual_seed(recipe.seed)
        front_end = data.front_end
        self._config = {**recipe.network.options, "bins": front_end.bins, "outputs": len(data.tokens)}
        network = create_network(recipe.network.name, self._config)
        assert isinstance(network, nn.Module)
        if start:
            _begin_with(network, start, recipe)
        if recipe.training.quantization:
            imitate_int8(network, recipe.training.quantization)
        self._device = processes.device
        self._network = network.to(self._device)
        self._average = copy.deepcopy(self._network).eval()
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
        self._token_mass = torch.zeros(len(data.tokens), dtype=torch.float64)
        self._mask = SpecAugment(recipe.training.spec_augment, front_end)
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(),
            lr=recipe.training.peak_rate,
            weight_decay=recipe.training.weight_decay,
            betas=(0.9, 0.98),
            fused=True,  # one pass over the weights
        )
        self._step = 0
        self._history: list[dict[str, Any]] = []
        self._resume()

    def fit(self, *, steps: int | None = None) -> None:
        """Run the epochs that are left; ``steps`` bounds each of them."""
        training = self._recipe.training
        writer = SummaryWriter(self._out / "tensorboard") if self._processes.leads else None
        total = training.epochs * len(self._plan(0)) // self._processes.count
        for epoch in range(len(self._history), training.epochs):
            started = time.monotonic()
            loss = self._epoch(epoch, total, steps)
            if not self._processes.leads:
                continue
            entry: dict[str, Any] = {"epoch": epoch + 1, "step": self._step, "loss": loss}
            entry |= {f"per_{name}": per for name, per in self._measure().items()}
            entry |= {"seconds": round(time.monotonic() - started, 1), "machine": _machine()}
            entry["hours"] = self._hours(epoch, steps)
            entry["processes"] = self._processes.count
            entry["priors"] = [round(float(p), 7) for p in self._token_mass / self._token_mass.sum()]
            self._history.append(entry)
            self._save()
            assert writer is not None
            for key, value in entry.items():
                if isinstance(value, float):
                    writer.add_scalar(key, value, epoch + 1)
            writer.flush()
            shown = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in entry.items() if k != "priors"}
            print("  ".join(f"{key} {value}" for key, value in shown.items()))
        if writer is not None:
            writer.close()

    def _plan(self, epoch: int) -> list[list[tuple[int, int]]]:
        frames = int(self._recipe.training.batch_seconds * 1000 / self._recipe.mfcc.frame_shift_ms)
        return plan_epoch(
            self._data.train,
            epoch=epoch,
            seed=self._recipe.seed,
            batch_frames=frames,
            processes=self._processes.count,
        )

    def _hours(self, epoch: int, steps: int | None) -> float:
        """Audio that all processes together hear in an epoch."""
        plan = self._plan(epoch)[: None if steps is None else steps * self._processes.count]
        frames = sum(len(self._data.train[i].features(variant)) for chosen in plan for i, variant in chosen)
        return round(frames * self._recipe.mfcc.frame_shift_ms / 3.6e6, 4)

    def _epoch(self, epoch: int, total: int, steps: int | None) -> float:
        plan = list(take_turns(self._plan(epoch), self._processes.rank, self._processes.count))[:steps]
        rng = np.random.default_rng([self._recipe.seed, epoch, self._processes.rank])
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        self._network.train()
        quantization = self._recipe.training.quantization
        for network in (self._network, self._average):  # what is measured is what will be heard
            switch(network, on=quantization is not None and epoch + 1 >= quantization.from_epoch)
        self._token_mass.zero_()
        losses = 0.0
        bar = tqdm(plan, desc=f"epoch {epoch + 1}", disable=not self._processes.leads, mininterval=10)
        for done, chosen in enumerate(bar, start=1):
            batch = collate(
                self._data.train,
                chosen,
                lookahead_frames=self._network.lookahead_frames,
                subsampling=self._network.subsampling,
                rng=rng,
            )
            losses += self._learn(batch, generator, total, epoch)
            bar.set_postfix_str(f"loss {losses / done:.3f}", refresh=False)
        return losses / max(1, len(plan))

    def _learn(self, batch: Batch, generator: torch.Generator, total: int, epoch: int) -> float:
        """One step; returns the loss per output frame."""
        training = self._recipe.training
        rate = _rate(self._step, total, training.warmup_steps) * training.peak_rate
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        features = self._mask(batch.features, batch.lengths, generator).to(self._device)
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
            for mean, now in zip(self._average.parameters(), self._network.parameters(), strict=True):
                mean.lerp_(now, 1 - decay)
        return float(loss.detach())

    def _loss(self, log_probs: Tensor, batch: Batch, epoch: int) -> Tensor:
        """Loss per output frame: per label, a batch of noise would outweigh all speech."""
        subsampling = self._network.subsampling
        outputs = (batch.lengths + self._network.lookahead_frames + subsampling - 1) // subsampling
        heard = torch.arange(log_probs.shape[1]) < outputs[:, None]
        self._token_mass += log_probs.detach()[heard.to(self._device)].exp().sum(dim=0).cpu()
        training = self._recipe.training
        if training.teacher and epoch < training.teacher.until_epoch:
            assert self._teacher is not None
            if training.teacher.answers:
                answers = self._teacher.answer(batch, log_probs.shape[1]).to(self._device)
                return answer_loss(log_probs, outputs, answers)
            return frame_loss(log_probs, outputs, self._teacher.align(batch, log_probs.shape[1]))
        criterion = self._early if epoch + 1 < training.criterion.from_epoch else self._late
        said = (batch.labels.to(self._device), batch.label_lengths)
        if criterion is self._late and training.teacher and training.teacher.sequences:
            assert self._teacher is not None and isinstance(criterion, Imitating)
            answers = self._teacher.answer(batch, log_probs.shape[1]).to(self._device)
            weight = training.teacher.weight
            losses = criterion.imitate(log_probs, outputs, *said, answers=answers, weight=weight)
        else:
            losses = criterion(log_probs, outputs, *said)
        return losses / outputs.sum()

    def _criterion(self, name: str) -> Criterion:
        settings = self._recipe.training.criterion
        labels = [item.labels for item in self._data.train if item.labels]
        tokens = len(self._data.tokens)
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
        self._step, self._history = state["step"], state["history"]
        if self._processes.leads:
            print(f"resuming after epoch {len(self._history)} of {path}")


def _begin_with(network: nn.Module, start: Checkpoint, recipe: Recipe) -> None:
    try:
        if start.network != recipe.network.name:
            raise RuntimeError(f"it is a {start.network}")
        network.load_state_dict(start.weights)
    except RuntimeError as error:
        raise UsageError(
            f"{recipe.training.start}: not the network of this recipe, {recipe.network.name}: {error}"
        ) from error


def _rate(step: int, total: int, warmup: int) -> float:
    """Linear warm-up, then a cosine to zero: a factor between 0 and 1."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}"
