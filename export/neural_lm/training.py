"""Training of a neural language model: from the file of texts alone, on one processor."""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from edge_asr.errors import UsageError
from export.neural_lm.batches import Packed, Sentences
from export.neural_lm.checkpoint import PieceCheckpoint, save_pieces
from export.neural_lm.network import PieceNetwork
from export.neural_lm.perplexity import word_perplexities
from export.neural_lm.recipe import PieceRecipe
from export.neural_lm.token_file import TokenFile

MEASURE_EVERY_S = 30.0
"""Between two measurements, each of which leaves a checkpoint."""


class PieceTraining:
    """One run.

    Parameters
    ----------
    minutes: what the run may take; None: the recipe's epochs end it.

    Raises
    ------
    UsageError: there is no sentence to learn.
    """

    def __init__(
        self,
        recipe: PieceRecipe,
        content: TokenFile,
        out: Path,
        *,
        device: torch.device,
        minutes: float | None = None,
    ) -> None:
        self._recipe, self._content, self._out, self._device = recipe, content, out, device
        self._minutes = minutes
        self.learned = Sentences(
            [text.learned for text in content.texts], device, longest=recipe.training.longest
        )
        if not len(self.learned):
            raise UsageError("expected sentences to learn, got none: make the file anew")
        torch.manual_seed(recipe.seed)
        self._network = PieceNetwork(recipe.network, pieces=len(content.pieces)).to(device)
        self._average = copy.deepcopy(self._network).eval()
        self._average.cells.flatten_parameters()  # a copy's weights lie apart, which is slow on a GPU
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(),
            lr=recipe.training.peak_rate,
            weight_decay=recipe.training.weight_decay,
            betas=(0.9, 0.98),
            fused=True,  # one pass over the weights
        )
        self._step, self._tokens = 0, 0
        self.history: list[dict[str, Any]] = []
        """One entry per measurement."""

    def fit(self) -> None:
        """Learn until the clock or the epochs end it; measure and save the averaged network on the way."""
        training = self._recipe.training
        started = measured = time.monotonic()
        # Read on the device only where it is measured: a step waits for nothing.
        losses, steps = torch.zeros((), device=self._device), 0
        total = 1 if self._minutes else training.epochs * self._steps_per_epoch()
        bar = tqdm(desc="neural-lm", unit="tok", unit_scale=True, mininterval=5)
        for epoch, batch in self._lessons():
            spent = time.monotonic() - started
            share = spent / (60 * self._minutes) if self._minutes else self._step / total
            if share >= 1 or (self._minutes is None and epoch > training.epochs):
                break
            losses += self._learn(batch, share)
            steps += 1
            bar.update(batch.places.shape[0])
            if time.monotonic() - measured > MEASURE_EVERY_S:
                self._note(epoch, float(losses) / steps, started)
                losses, steps = torch.zeros((), device=self._device), 0
                measured = time.monotonic()
        self._note(epoch, float(losses) / max(1, steps), started)
        bar.close()

    def _steps_per_epoch(self) -> int:
        """Of the first epoch; the others have nearly as many."""
        order = self._order(1)
        return sum(1 for _ in self.learned.batches(order, self._recipe.training.batch_tokens))

    def _order(self, epoch: int) -> np.ndarray:
        rng = np.random.default_rng([self._recipe.seed, epoch])
        return self.learned.mixed([text.share for text in self._content.texts], rng)

    def _lessons(self) -> Iterator[tuple[int, Packed]]:
        """Batches without end, each with its epoch, from 1."""
        for epoch in itertools.count(1):
            for batch in self.learned.batches(self._order(epoch), self._recipe.training.batch_tokens):
                yield epoch, batch

    def _learn(self, batch: Packed, share: float) -> Tensor:
        """One step at this share of the run; returns the loss per token, on the device."""
        training = self._recipe.training
        rate = training.peak_rate * min(
            (self._step + 1) / training.warmup_steps, 0.5 * (1 + math.cos(math.pi * share))
        )
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._network.train()
        places = batch.places
        tokens = self.learned.tokens
        half = training.bf16 and self._device.type == "cuda"
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=half):
            logits = self._network(tokens[places], batch.sentences)
            loss = F.cross_entropy(logits, tokens[places + 1].long())
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), training.clip_norm)
        self._optimiser.step()
        self._step += 1
        self._tokens += places.shape[0]
        decay = min(training.average_decay, self._step / (self._step + 10))
        with torch.no_grad():
            for mean, now in zip(self._average.parameters(), self._network.parameters(), strict=True):
                mean.lerp_(now, 1 - decay)
        return loss.detach()

    def _note(self, epoch: int, loss: float, started: float) -> None:
        """Measure the averaged network, save it and say so."""
        entry: dict[str, Any] = {
            "epoch": epoch,
            "step": self._step,
            "million_tokens": round(self._tokens / 1e6, 1),
            "loss": loss,
            "perplexity": {
                text: str(found)
                for text, found in word_perplexities(self._average, self._content, self._device).items()
            },
            "seconds": round(time.monotonic() - started, 1),
        }
        self.history.append(entry)
        save_pieces(
            self._out,
            PieceCheckpoint(
                recipe=self._recipe,
                weights=self._average.state_dict(),
                pieces=self._content.pieces,
                history=self.history,
            ),
        )
        shown = {key: f"{value:.4g}" if isinstance(value, float) else value for key, value in entry.items()}
        tqdm.write("  ".join(f"{key} {value}" for key, value in shown.items() if key != "perplexity"))
        for text, found in entry["perplexity"].items():
            tqdm.write(f"  {text}: {found}")
