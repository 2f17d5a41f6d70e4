"""An earlier model that aligns what a new one hears, until the new one can find the words itself.

Or that is imitated: a network's whole answers say more than its alignment, also about what it is unsure of
(G. Hinton et al., "Distilling the knowledge in a neural network", 2015). They are learned frame by frame
(``answer_loss``) or as a distribution over whole paths (export/criterion/path_divergence.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import nn
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


_NO_ANSWERS = "[training.teacher] answers, sequences: a GMM has none to imitate; name a network's model.pt"
_NEVER = -1e4
"""Logarithm of a probability of zero, finite so that the products of a loss stay numbers."""


class Teacher(Protocol):
    """What can say where the phones of an utterance are."""

    @property
    def front_end(self) -> FrontEnd:
        """Features that it hears, and so its pupil."""

    def align(self, batch: Batch, outputs: int) -> Tensor:
        """(batch, outputs) token of each output of the new network, -1 where an utterance does not fit its
        labels."""

    def answer(self, batch: Batch, outputs: int) -> Tensor:
        """(teachers, batch, outputs, tokens) finite log-probabilities for the new network to imitate.

        Raises
        ------
        UsageError: it has none.
        """


def load_teacher(config: TeacherConfig | None, device: torch.device | None = None) -> Teacher | None:
    """The teacher that a recipe names, if it names one, on a device: a GMM if the file ends in ``.npz``.

    Raises
    ------
    UsageError: there is no such file, a GMM is to be imitated, or several teachers do not hear the same.
    BundleError: it holds something else.
    """
    if config is None:
        return None
    paths = [Path(name) for name in (config.checkpoint, *config.others)]
    if paths[0].suffix == ".npz":
        if config.answers or config.sequences:
            raise UsageError(_NO_ANSWERS)
        return GmmTeacher(Gmm.load(paths[0]), late_outputs=config.late_outputs)
    checkpoints = [load_checkpoint(path) for path in paths]
    front_end, tokens = checkpoints[0].front_end, checkpoints[0].tokens
    for path, checkpoint in zip(paths, checkpoints, strict=True):
        if (checkpoint.front_end, checkpoint.tokens) != (front_end, tokens):
            raise UsageError(
                f"{path}: expected the front-end and the tokens of {paths[0]}, to teach beside it"
            )
    networks = [checkpoint.restore() for checkpoint in checkpoints]
    for network in networks:
        assert isinstance(network, nn.Module)
        network.to(device or "cpu")
    return NetworkTeacher(networks, front_end, late_outputs=config.late_outputs)


def frame_loss(log_probs: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy per output frame of (batch, outputs, tokens) against (batch, outputs) tokens.

    Outputs beyond ``lengths`` (batch,) do not count, nor do targets of -1.
    """
    beyond = torch.arange(targets.shape[1]) >= lengths[:, None]
    targets = targets.masked_fill(beyond, -1).to(log_probs.device)
    return functional.nll_loss(log_probs.transpose(1, 2), targets, ignore_index=-1)


def answer_loss(log_probs: Tensor, lengths: Tensor, answers: Tensor) -> Tensor:
    """Divergence per output frame of (batch, outputs, tokens) from what teachers answer, in nats.

    Several teachers (teachers, batch, outputs, tokens) are one that answers with their mean probability.
    Outputs beyond ``lengths`` (batch,) do not count.
    """
    answers = answers.logsumexp(dim=0) - math.log(len(answers))
    heard = (torch.arange(log_probs.shape[1]) < lengths[:, None]).to(log_probs.device)
    divergences = functional.kl_div(log_probs, answers, reduction="none", log_target=True).sum(dim=2)
    return (divergences * heard).sum() / heard.sum()


class NetworkTeacher:
    """Trained networks: the forced alignment of the first, or the answers of all.

    Parameters
    ----------
    late_outputs: how much later the new network's outputs are due; below 0, earlier.
    """

    def __init__(self, networks: Sequence[Network], front_end: FrontEnd, *, late_outputs: int) -> None:
        self._networks = networks
        self.front_end = front_end
        self._late = late_outputs

    def align(self, batch: Batch, outputs: int) -> Tensor:
        """As :meth:`Teacher.align`: what the network would answer, mostly blank, later by the delay."""
        network = self._networks[0]
        log_probs = _hear(network, batch).cpu()
        steps = network.subsampling
        lengths = (batch.lengths + network.lookahead_frames + steps - 1) // steps
        path = ctc_path(log_probs, lengths, batch.labels, batch.label_lengths)
        late = functional.pad(path, (self._late, outputs))[:, :outputs]
        if self._late > 0:
            late[:, : self._late] = path[:, :1].clamp(max=0)
        return late

    def answer(self, batch: Batch, outputs: int) -> Tensor:
        """As :meth:`Teacher.answer`: before its first answer and after its last nothing but blanks."""
        heard = torch.stack([_hear(network, batch) for network in self._networks])
        after = max(0, outputs - self._late - heard.shape[2])
        due = functional.pad(heard, (0, 0, self._late, after), value=_NEVER)[:, :, :outputs]
        due[:, :, : max(0, self._late), 0] = 0.0
        due[:, :, outputs - after :, 0] = 0.0
        return due


def _hear(network: Network, batch: Batch) -> Tensor:
    """(batch, outputs, tokens), at least as many outputs as the batch has frames for."""
    steps = network.subsampling
    features = batch.features
    # Room for the last phones, which the network answers late.
    missing = int(batch.lengths.max()) + network.lookahead_frames - features.shape[1]
    missing = max(0, missing) + -(features.shape[1] + max(0, missing)) % steps
    if missing:
        features = functional.pad(features, (0, 0, 0, missing))
    with torch.inference_mode(), torch.autocast(features.device.type, dtype=torch.bfloat16):
        log_probs, _ = network(features)
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
        raise UsageError(_NO_ANSWERS)
