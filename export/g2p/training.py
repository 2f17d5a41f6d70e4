"""Training of a letter-to-phone network: CTC over the phones, on one processor core."""

from __future__ import annotations

import copy
import math
import os
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from edge_asr.errors import UsageError
from export.dictionary import Dictionary
from export.g2p.checkpoint import TOKENS, G2pCheckpoint, save_g2p
from export.g2p.guess import answers, read_off
from export.g2p.lessons import Lesson, Lessons
from export.g2p.network import LetterNetwork
from export.g2p.recipe import G2pRecipe, plain
from export.g2p.score import Errors, count_errors
from export.g2p.words import LETTERS, split_words

STATE_FILE = "g2p-training.pt"
"""What resuming needs beside the model."""


class G2pTraining:
    """One run: network, optimiser, schedule and what has happened so far; resumes what ``out`` holds.

    Raises
    ------
    UsageError: the dictionary has no word to learn or none to measure, or the run there is of another recipe.
    """

    def __init__(self, recipe: G2pRecipe, dictionary: Dictionary, out: Path) -> None:
        self._recipe, self._out = recipe, out
        learned, self._held_out = split_words(dictionary, share=recipe.held_out, seed=recipe.seed)
        self.lessons = Lessons(
            learned, letters=LETTERS, tokens=TOKENS, frames_per_letter=recipe.network.frames_per_letter
        )
        if not len(self.lessons) or not self._held_out:
            raise UsageError(
                f"expected a dictionary with words to learn and words held out, got {len(self.lessons)} and "
                f"{len(self._held_out)}"
            )
        torch.manual_seed(recipe.seed)
        self._network = LetterNetwork(recipe.network, letters=len(LETTERS), tokens=len(TOKENS))
        self._average = copy.deepcopy(self._network).eval()
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

    @property
    def history(self) -> list[dict[str, Any]]:
        """One entry per epoch."""
        return self._history

    def fit(self) -> None:
        """Run the epochs that are left; the checkpoint is written after each."""
        training = self._recipe.training
        total = training.epochs * self.lessons.batches(training.batch_letters)
        for epoch in range(len(self._history), training.epochs):
            started = time.monotonic()
            loss = self._epoch(epoch, total)
            errors = self.measure()
            entry = {
                "epoch": epoch + 1,
                "step": self._step,
                "loss": loss,
                "word_error": errors.word_error,
                "phone_error": errors.phone_error,
                "seconds": round(time.monotonic() - started, 1),
            }
            self._history.append(entry)
            self._save()
            shown = {
                key: f"{value:.4g}" if isinstance(value, float) else value for key, value in entry.items()
            }
            print("  ".join(f"{key} {value}" for key, value in shown.items()), flush=True)

    def measure(self) -> Errors:
        """What the averaged network gets wrong of the held-out words."""
        log_probs = answers(self._average, [word.word for word in self._held_out], LETTERS)
        return count_errors(self._held_out, read_off(log_probs, TOKENS))

    def _epoch(self, epoch: int, total: int) -> float:
        training = self._recipe.training
        self._network.train()
        lessons = self.lessons.epoch(epoch, seed=self._recipe.seed, batch_letters=training.batch_letters)
        losses, done = 0.0, 0
        bar = tqdm(
            lessons,
            desc=f"epoch {epoch + 1}",
            total=self.lessons.batches(training.batch_letters),
            mininterval=10,
        )
        for done, lesson in enumerate(bar, start=1):
            losses += self._learn(lesson, total)
            bar.set_postfix_str(f"loss {losses / done:.3f}", refresh=False)
        return losses / max(1, done)

    def _learn(self, lesson: Lesson, total: int) -> float:
        """One step; returns the loss per phone."""
        training = self._recipe.training
        rate = training.peak_rate * min(
            (self._step + 1) / training.warmup_steps,
            0.5 * (1 + math.cos(math.pi * min(1.0, self._step / total))),
        )
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=training.bf16):
            log_probs = self._network(lesson.letters)
        loss = _loss(log_probs, lesson)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), training.clip_norm)
        self._optimiser.step()
        self._step += 1
        decay = min(training.average_decay, self._step / (self._step + 10))
        with torch.no_grad():
            for mean, now in zip(self._average.parameters(), self._network.parameters(), strict=True):
                mean.lerp_(now, 1 - decay)
        return float(loss.detach())

    def _save(self) -> None:
        save_g2p(
            self._out,
            G2pCheckpoint(recipe=self._recipe, weights=self._average.state_dict(), history=self._history),
        )
        state = {
            "recipe": plain(self._recipe),
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self._step,
            "history": self._history,
            "random": torch.get_rng_state(),
        }
        partial = self._out / f"{STATE_FILE}.part"
        torch.save(state, partial)
        os.replace(partial, self._out / STATE_FILE)

    def _resume(self) -> None:
        path = self._out / STATE_FILE
        if not path.is_file():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["recipe"] != plain(self._recipe):
            raise UsageError(f"{path}: is a run of another recipe: choose another --out, or --restart")
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step, self._history = state["step"], state["history"]
        torch.set_rng_state(state["random"])
        print(f"resuming after epoch {len(self._history)} of {path}", flush=True)


def _loss(log_probs: Tensor, lesson: Lesson) -> Tensor:
    """CTC per phone: (words, frames, tokens) -> ()."""
    frames = torch.full_like(lesson.lengths, log_probs.shape[1])
    loss = F.ctc_loss(log_probs.transpose(0, 1), lesson.phones, frames, lesson.lengths, reduction="sum")
    return loss / lesson.lengths.sum()
