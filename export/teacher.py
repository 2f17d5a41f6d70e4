"""An earlier model that aligns what a new one hears, until the new one can find the words itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from export.align import ctc_path
from export.batches import Batch
from export.checkpoint import FrontEnd, load_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

    from export.net.network import Network
    from export.recipe import TeacherConfig


class Teacher:
    """A trained network whose forced alignments are targets.

    Parameters
    ----------
    late_outputs: how much later the new network's outputs are due.
    """

    def __init__(self, network: Network, front_end: FrontEnd, *, late_outputs: int) -> None:
        self._network = network
        self.front_end = front_end
        self._late = late_outputs

    @classmethod
    def of(cls, config: TeacherConfig | None) -> Teacher | None:
        """The teacher that a recipe names, if it names one."""
        if config is None:
            return None
        checkpoint = load_checkpoint(Path(config.checkpoint))
        return cls(checkpoint.restore(), checkpoint.front_end, late_outputs=config.late_outputs)

    def align(self, batch: Batch, outputs: int) -> Tensor:
        """(batch, outputs) token of each output; -1 where an utterance does not fit its labels."""
        steps = self._network.subsampling
        features = batch.features
        # Room for the last phones, which the network answers late.
        missing = int(batch.lengths.max()) + self._network.lookahead_frames - features.shape[1]
        missing = max(0, missing) + -(features.shape[1] + max(0, missing)) % steps
        if missing:
            features = functional.pad(features, (0, 0, 0, missing))
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            log_probs, _ = self._network(features)
        lengths = (batch.lengths + self._network.lookahead_frames + steps - 1) // steps
        path = ctc_path(log_probs.float(), lengths, batch.labels, batch.label_lengths)
        late = functional.pad(path, (self._late, outputs))[:, :outputs]
        late[:, : self._late] = path[:, :1].clamp(max=0)
        return late

    def loss(self, log_probs: Tensor, lengths: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy per output frame of (batch, outputs, tokens) against the alignment."""
        targets = self.align(batch, log_probs.shape[1])
        targets[torch.arange(targets.shape[1]) >= lengths[:, None]] = -1
        return functional.nll_loss(log_probs.transpose(1, 2), targets.to(log_probs.device), ignore_index=-1)
