"""An earlier model that aligns what a new one hears, until the new one can find the words itself.

Or that is imitated: a network's whole answers say more than its alignment, also about what it is unsure of
(G. Hinton et al., "Distilling the knowledge in a neural network", 2015).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch.nn import functional

from edge_asr.errors import UsageError
from export.align import ctc_path
from export.batches import Batch
from export.checkpoint import FrontEnd, load_checkpoint
from export.gmm.chain import chain
from export.gmm.decode import PAUSE_PROBABILITY
from export.gmm.deltas import observations
from export.gmm.model import Gmm
from export.gmm.targets import output_targets
from export.net.front import SUBSAMPLING

if TYPE_CHECKING:
    from torch import Tensor

    from export.net.network import Network
    from export.recipe import TeacherConfig


class Teacher(Protocol):
    """What can say where the phones of an utterance are."""

    @property
    def front_end(self) -> FrontEnd:
        """Features that it hears, and so its pupil."""

    def align(self, batch: Batch, outputs: int) -> Tensor:
        """(batch, outputs) token of each output of the new network, -1 where an utterance does not fit its
        labels."""

    def answer(self, batch: Batch, outputs: int) -> Tensor:
        """(batch, outputs, tokens) log-probabilities for the new network to imitate.

        Raises
        ------
        UsageError: it has none.
        """


def load_teacher(config: TeacherConfig | None) -> Teacher | None:
    """The teacher that a recipe names, if it names one: a GMM if the file ends in ``.npz``.

    Raises
    ------
    UsageError: there is no such file.
    BundleError: it holds something else.
    """
    if config is None:
        return None
    path = Path(config.checkpoint)
    if path.suffix == ".npz":
        return GmmTeacher(Gmm.load(path), late_outputs=config.late_outputs)
    checkpoint = load_checkpoint(path)
    return NetworkTeacher(checkpoint.restore(), checkpoint.front_end, late_outputs=config.late_outputs)


def frame_loss(log_probs: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy per output frame of (batch, outputs, tokens) against (batch, outputs) tokens.

    Outputs beyond ``lengths`` (batch,) do not count, nor do targets of -1.
    """
    beyond = torch.arange(targets.shape[1]) >= lengths[:, None]
    targets = targets.masked_fill(beyond, -1).to(log_probs.device)
    return functional.nll_loss(log_probs.transpose(1, 2), targets, ignore_index=-1)


def answer_loss(log_probs: Tensor, lengths: Tensor, answers: Tensor) -> Tensor:
    """Divergence per output frame of (batch, outputs, tokens) from what a teacher answers, in nats.

    Outputs beyond ``lengths`` (batch,) do not count.
    """
    heard = (torch.arange(answers.shape[1]) < lengths[:, None]).to(log_probs.device)
    divergences = functional.kl_div(log_probs, answers, reduction="none", log_target=True).sum(dim=2)
    return divergences[heard].mean()


class NetworkTeacher:
    """A trained network: its forced alignment, or its answers.

    Parameters
    ----------
    late_outputs: how much later the new network's outputs are due.
    """

    def __init__(self, network: Network, front_end: FrontEnd, *, late_outputs: int) -> None:
        self._network = network
        self.front_end = front_end
        self._late = late_outputs

    def align(self, batch: Batch, outputs: int) -> Tensor:
        """As :meth:`Teacher.align`: what the network would answer, mostly blank, later by the delay."""
        log_probs = self._hear(batch)
        steps = self._network.subsampling
        lengths = (batch.lengths + self._network.lookahead_frames + steps - 1) // steps
        path = ctc_path(log_probs, lengths, batch.labels, batch.label_lengths)
        late = functional.pad(path, (self._late, outputs))[:, :outputs]
        late[:, : self._late] = path[:, :1].clamp(max=0)
        return late

    def answer(self, batch: Batch, outputs: int) -> Tensor:
        """As :meth:`Teacher.answer`."""
        return self._hear(batch)[:, :outputs]

    def _hear(self, batch: Batch) -> Tensor:
        """(batch, outputs, tokens), at least as many outputs as the batch has frames for."""
        steps = self._network.subsampling
        features = batch.features
        # Room for the last phones, which the network answers late.
        missing = int(batch.lengths.max()) + self._network.lookahead_frames - features.shape[1]
        missing = max(0, missing) + -(features.shape[1] + max(0, missing)) % steps
        if missing:
            features = functional.pad(features, (0, 0, 0, missing))
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            log_probs, _ = self._network(features)
        return log_probs.float().clone()  # what inference mode made cannot take part in a loss


class GmmTeacher:
    """A GMM-HMM: its forced alignment, which knows where each phone begins and ends.

    Parameters
    ----------
    late_outputs: how much later than the sound the new network's outputs are due.
    """

    def __init__(self, model: Gmm, *, late_outputs: int) -> None:
        self._model = model
        self._late = late_outputs

    @property
    def front_end(self) -> FrontEnd:
        """The GMM's."""
        return self._model.front_end

    def align(self, batch: Batch, outputs: int) -> Tensor:
        """As :meth:`Teacher.align`: phones for as long as they sound (export/gmm/targets.py).

        A batch does not say where words end, so that a pause may follow any phone.
        """
        lengths = batch.lengths.tolist()
        labels = [row.numpy() for row in torch.split(batch.labels, batch.label_lengths.tolist())]
        heard = [x[:n].numpy() for x, n in zip(batch.features, lengths, strict=True)]
        targets = np.full((len(lengths), outputs), -1, dtype=np.int64)
        found = self._model.align(
            lengths,
            lambda i: (
                observations(heard[i], self._model.cepstra),
                chain(labels[i].tolist(), self._model.states, probability=PAUSE_PROBABILITY),
            ),
        )
        for done in found:
            if done.path is not None:
                targets[done.index] = output_targets(
                    done.chain.positions[done.path],
                    labels[done.index],
                    subsampling=SUBSAMPLING,
                    outputs=outputs,
                    late_outputs=self._late,
                )
        return torch.from_numpy(targets)

    def answer(self, batch: Batch, outputs: int) -> Tensor:
        """As :meth:`Teacher.answer`: a GMM knows states of phones, which no network answers."""
        raise UsageError("[training.teacher] answers: a GMM has none to imitate; name a network's model.pt")
