"""A trained network on disk: weights, and everything that made them and that they need."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_asr.config import CmvnConfig, MfccConfig, from_dict
from edge_asr.errors import BundleError
from export.checkpoint_file import read_checkpoint_file, write_checkpoint_file
from export.net import create_network

if TYPE_CHECKING:
    from torch import Tensor

    from export.net.network import Network

MODEL_FILE = "model.pt"
"""Name of the checkpoint within a run's directory."""


@dataclass(frozen=True, kw_only=True)
class FrontEnd:
    """What turns samples into the features that the network was trained on."""

    mfcc: MfccConfig
    """Front-end."""
    cmvn: CmvnConfig
    """Normalisation."""

    def __post_init__(self) -> None:
        if len(self.cmvn.mean) != self.mfcc.cepstra:
            raise ValueError(
                f"cmvn has {len(self.cmvn.mean)} values, mfcc makes {self.mfcc.cepstra} coefficients"
            )

    @property
    def bins(self) -> int:
        """Values in one feature frame."""
        return self.mfcc.cepstra


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The content of ``model.pt``."""

    network: str
    """Name in the registry of export/net."""
    config: dict[str, Any]
    """Fields of the network's own configuration."""
    weights: dict[str, Tensor]
    """``state_dict`` of the network."""
    front_end: FrontEnd
    """Front-end and normalisation."""
    tokens: tuple[str, ...]
    """Token of each output; the first one is the blank."""
    recipe: dict[str, Any]
    """The recipe as it was read, for the card: plain values only."""
    history: list[dict[str, Any]]
    """One entry per epoch, plain values only; ``seconds`` is what it took, ``machine`` where."""

    def restore(self) -> Network:
        """The network with its weights, ready to answer.

        Raises
        ------
        UsageError: no such network, or it has no such setting.
        BundleError: the weights or the tokens do not fit the network.
        """
        network = create_network(self.network, self.config)
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            raise BundleError(f"weights do not fit network {self.network!r}: {error}") from error
        if network.outputs != len(self.tokens):
            raise BundleError(f"the network has {network.outputs} outputs for {len(self.tokens)} tokens")
        network.eval()
        return network


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint`` to ``path`` in one piece: a crash leaves the previous file whole."""
    values = {f.name: getattr(checkpoint, f.name) for f in dataclasses.fields(checkpoint)}
    values["front_end"] = dataclasses.asdict(checkpoint.front_end)
    values["tokens"] = list(checkpoint.tokens)
    write_checkpoint_file(path, values)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read ``path``; weights come to the CPU. No code in the file is run.

    Raises
    ------
    UsageError: there is no such file.
    BundleError: the file is no checkpoint, or a key is missing or unknown.
    """
    known = {f.name for f in dataclasses.fields(Checkpoint)}
    values = read_checkpoint_file(path, known, made_by="train RECIPE")
    values["front_end"] = from_dict(FrontEnd, values["front_end"], where=f"{path}: front_end")
    values["tokens"] = tuple(values["tokens"])
    return Checkpoint(**values)
