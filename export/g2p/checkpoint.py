"""A letter-to-phone model on disk, and its run directory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from edge_asr.decoder.tokens import BLANK_NAME
from edge_asr.errors import BundleError
from export.checkpoint_file import read_checkpoint_file, write_checkpoint_file
from export.dictionary import PHONES
from export.g2p.network import LetterNetwork
from export.g2p.recipe import G2pRecipe, g2p_recipe, plain
from export.g2p.words import LETTERS

G2P_FILE = "g2p.pt"
"""Name of the checkpoint within a run's directory."""
TOKENS = (BLANK_NAME, *PHONES)
"""What a letter's frames answer, by their names."""


@dataclass(frozen=True, kw_only=True)
class G2pCheckpoint:
    """The content of ``g2p.pt``."""

    recipe: G2pRecipe
    """What made it."""
    weights: dict[str, Tensor]
    """``state_dict`` of the network."""
    history: list[dict[str, Any]]
    """One entry per epoch, plain values only."""
    letters: str = LETTERS
    """The network's inputs."""
    tokens: tuple[str, ...] = TOKENS
    """The network's outputs."""

    def restore(self) -> LetterNetwork:
        """The network with its weights, ready to answer.

        Raises
        ------
        BundleError: the weights do not fit it.
        """
        network = LetterNetwork(self.recipe.network, letters=len(self.letters), tokens=len(self.tokens))
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            raise BundleError(f"weights do not fit the letter-to-phone network: {error}") from error
        return network.eval()


def save_g2p(directory: Path, checkpoint: G2pCheckpoint) -> None:
    """Write ``g2p.pt`` in one piece: a crash leaves the previous file whole."""
    values = {f.name: getattr(checkpoint, f.name) for f in dataclasses.fields(checkpoint)}
    values |= {"recipe": plain(checkpoint.recipe), "tokens": list(checkpoint.tokens)}
    write_checkpoint_file(directory / G2P_FILE, values)


def load_g2p(directory: Path) -> G2pCheckpoint:
    """Read ``g2p.pt`` of a run directory. No code in the file is run.

    Raises
    ------
    UsageError: there is no such file.
    BundleError: the file is no checkpoint, or a key is missing or unknown.
    """
    path = directory / G2P_FILE
    known = {f.name for f in dataclasses.fields(G2pCheckpoint)}
    values = read_checkpoint_file(path, known, made_by="g2p RECIPE")
    values["recipe"] = g2p_recipe(values["recipe"], where=f"{path}: recipe")
    values["tokens"] = tuple(values["tokens"])
    return G2pCheckpoint(**values)
