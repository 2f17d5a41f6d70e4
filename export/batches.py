"""Batches of utterances of like length, dealt to the training processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from export.cache import FeatureSet, Float16Array

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Item:
    """One utterance that can be learned: its features at each speed, and its labels."""

    variants: tuple[tuple[FeatureSet, int], ...]
    """Feature set and index for each speed."""
    labels: tuple[int, ...]
    """Tokens without blanks; empty where nobody speaks."""
    weight: float
    """Share of epochs in which it is heard."""

    def features(self, variant: int) -> Float16Array:
        """(frames, coefficients) of one variant."""
        features, index = self.variants[variant % len(self.variants)]
        return features[index]


@dataclass(frozen=True)
class Batch:
    """What one step sees."""

    features: Tensor
    """(batch, frames, coefficients) float32, zeros after the end and for the look-ahead."""
    lengths: Tensor
    """(batch,) real frames."""
    labels: Tensor
    """(sum of label lengths,)."""
    label_lengths: Tensor
    """(batch,)."""


class BatchSource(Protocol):
    """Where training takes its batches from."""

    @property
    def labels(self) -> Sequence[tuple[int, ...]]:
        """Tokens of every utterance, without blanks; empty where nobody speaks."""

    def plan(self, epoch: int, processes: int) -> Sequence[Any]:
        """What each step hears, the same for all processes, who take turns: a multiple of their number."""

    def seconds(self, chosen: Any) -> float:
        """Audio of a step."""

    def batch(
        self, chosen: Any, *, lookahead_frames: int, subsampling: int, rng: np.random.Generator
    ) -> Batch:
        """What a step hears, anywhere between its first frame and the phases of the subsampling."""


class Recorded:
    """Batches of features that were computed once.

    Parameters
    ----------
    batch_seconds: audio of a step, padding included; frame_shift_ms: between two frames.
    """

    def __init__(
        self, items: Sequence[Item], *, seed: int, batch_seconds: float, frame_shift_ms: float
    ) -> None:
        self._items, self._seed = items, seed
        self._frames, self._shift_s = int(batch_seconds * 1000 / frame_shift_ms), frame_shift_ms / 1000
        self.labels = [item.labels for item in items]

    def plan(self, epoch: int, processes: int) -> list[list[tuple[int, int]]]:
        """See :func:`plan_epoch`."""
        return plan_epoch(
            self._items, epoch=epoch, seed=self._seed, batch_frames=self._frames, processes=processes
        )

    def seconds(self, chosen: list[tuple[int, int]]) -> float:
        """Audio of the chosen utterances."""
        return sum(len(self._items[i].features(variant)) for i, variant in chosen) * self._shift_s

    def batch(
        self,
        chosen: list[tuple[int, int]],
        *,
        lookahead_frames: int,
        subsampling: int,
        rng: np.random.Generator,
    ) -> Batch:
        """See :func:`collate`."""
        return collate(
            self._items, chosen, lookahead_frames=lookahead_frames, subsampling=subsampling, rng=rng
        )


def plan_epoch(
    items: Sequence[Item], *, epoch: int, seed: int, batch_frames: int, processes: int
) -> list[list[tuple[int, int]]]:
    """Which (item, variant) pairs each step hears; the same for all processes, who take turns.

    The number of batches is a multiple of ``processes``. Lengths are jittered before sorting so that
    an utterance has other neighbours in each epoch.
    """
    rng = np.random.default_rng([seed, epoch])
    chosen: list[tuple[int, int, float]] = []
    for i, item in enumerate(items):
        copies = int(item.weight) + (rng.random() < item.weight % 1)
        first = int(rng.integers(len(item.variants)))
        for k in range(copies):
            variant = (first + k) % len(item.variants)
            chosen.append((i, variant, len(item.features(variant)) * rng.uniform(0.9, 1.1)))
    chosen.sort(key=lambda c: c[2])
    lengths = [len(items[i].features(variant)) for i, variant, _ in chosen]
    spans = deal(lengths, most=batch_frames, processes=processes, rng=rng)
    return [[(i, variant) for i, variant, _ in chosen[start:end]] for start, end in spans]


def deal(
    lengths: Sequence[int], *, most: float, processes: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Cut utterances in the order of their lengths into batches, and the batches into random turns.

    Parameters
    ----------
    lengths: of each utterance, about rising.
    most: a batch's longest utterance times their number, in the unit of the lengths.
    processes: who take turns; they get batches of like length, so that nobody waits for the others.

    Returns
    -------
    First utterance of each batch and the one after its last; a multiple of ``processes``.
    """
    cuts, longest = [0], 0
    for i, length in enumerate(lengths):
        longest = max(longest, length)
        if i > cuts[-1] and longest * (i + 1 - cuts[-1]) > most:
            cuts.append(i)
            longest = length
    spans = list(zip(cuts, [*cuts[1:], len(lengths)], strict=True))
    turns = rng.permutation(len(spans) // processes)
    return [spans[turn * processes + rank] for turn in turns for rank in range(processes)]


def collate(
    items: Sequence[Item],
    chosen: list[tuple[int, int]],
    *,
    lookahead_frames: int,
    subsampling: int,
    rng: np.random.Generator | None = None,
) -> Batch:
    """Lay the chosen utterances into one batch.

    With ``rng`` up to ``subsampling - 1`` first frames are dropped, so that the network hears each
    utterance in every phase of its subsampling.
    """
    import torch

    features = [items[i].features(variant) for i, variant in chosen]
    if rng is not None:
        features = [x[rng.integers(min(subsampling, len(x))) :] for x in features]
    lengths = np.array([len(x) for x in features])
    frames = int(lengths.max()) + lookahead_frames
    frames += -frames % subsampling
    batch = np.zeros((len(features), frames, features[0].shape[1]), dtype=np.float32)
    for row, x in zip(batch, features, strict=True):
        row[: len(x)] = x
    labels = [items[i].labels for i, _ in chosen]
    return Batch(
        torch.from_numpy(batch),
        torch.from_numpy(lengths),
        torch.tensor([token for row in labels for token in row], dtype=torch.long),
        torch.tensor([len(row) for row in labels], dtype=torch.long),
    )


def take_turns(plan: Sequence[Any], rank: int, processes: int) -> Iterator[Any]:
    """The batches of one process."""
    yield from plan[rank::processes]
