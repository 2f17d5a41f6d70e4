"""Batches of training speech and the criterion that judges them: what units are worth to it."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor
from tqdm import tqdm

from export.batches import Batch, collate, plan_epoch
from export.criterion import create_criterion
from export.learnset import Learnset
from export.net.network import Network
from export.prune.importance import Loss
from export.recipe import Recipe


def training_batches(recipe: Recipe, data: Learnset, network: Network, count: int) -> Iterator[Batch]:
    """The first ``count`` batches of an epoch of the recipe, for one process."""
    frames = int(recipe.training.batch_seconds * 1000 / recipe.mfcc.frame_shift_ms)
    plan = plan_epoch(data.train, epoch=0, seed=recipe.seed, batch_frames=frames, processes=1)[:count]
    for chosen in tqdm(plan, desc="worth of units", mininterval=5, disable=None):
        yield collate(
            data.train, chosen, lookahead_frames=network.lookahead_frames, subsampling=network.subsampling
        )


def training_loss(recipe: Recipe, data: Learnset, network: Network) -> Loss:
    """The recipe's criterion, per output."""
    settings = recipe.training.criterion
    criterion = create_criterion(
        settings.name,
        [item.labels for item in data.train if item.labels],
        tokens=len(data.tokens),
        order=settings.order,
        ctc_share=settings.ctc_share,
    )

    def loss(log_probs: Tensor, batch: Batch) -> Tensor:
        criterion.to(log_probs.device)
        subsampling = network.subsampling
        outputs = (batch.lengths + network.lookahead_frames + subsampling - 1) // subsampling
        labels = batch.labels.to(log_probs.device)
        return criterion(log_probs, outputs, labels, batch.label_lengths) / outputs.sum()

    return loss
