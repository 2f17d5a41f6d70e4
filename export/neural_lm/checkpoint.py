"""A neural language model on disk, and its run directory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from edge_asr.decoder.word_pieces import WordPieces
from edge_asr.errors import BundleError
from export.checkpoint_file import read_checkpoint_file, write_checkpoint_file
from export.neural_lm.network import PieceNetwork
from export.neural_lm.recipe import PieceRecipe, piece_recipe, plain

NEURAL_LM_FILE = "neural-lm.pt"
"""Name of the checkpoint within a run's directory."""


@dataclass(frozen=True, kw_only=True)
class PieceCheckpoint:
    """The content of ``neural-lm.pt``."""

    recipe: PieceRecipe
    """What made it."""
    weights: dict[str, Tensor]
    """``state_dict`` of the network."""
    pieces: WordPieces
    """What the numbers mean."""
    history: list[dict[str, Any]]
    """One entry per measurement, plain values only."""

    def restore(self) -> PieceNetwork:
        """The network with its weights, ready to answer.

        Raises
        ------
        BundleError: the weights do not fit it.
        """
        network = PieceNetwork(self.recipe.network, pieces=len(self.pieces))
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            raise BundleError(f"weights do not fit the neural language model: {error}") from error
        return network.eval()


def save_pieces(directory: Path, checkpoint: PieceCheckpoint) -> None:
    """Write ``neural-lm.pt`` in one piece: a crash leaves the previous file whole."""
    values = {f.name: getattr(checkpoint, f.name) for f in dataclasses.fields(checkpoint)}
    values |= {
        "recipe": plain(checkpoint.recipe),
        "pieces": [list(checkpoint.pieces.pieces), list(checkpoint.pieces.log_probs)],
        "weights": {name: weight.detach().cpu() for name, weight in checkpoint.weights.items()},
    }
    write_checkpoint_file(directory / NEURAL_LM_FILE, values)


def load_pieces(directory: Path) -> PieceCheckpoint:
    """Read ``neural-lm.pt`` of a run directory. No code in the file is run.

    Raises
    ------
    UsageError: there is no such file.
    BundleError: the file is no checkpoint, or a key is missing or unknown.
    """
    path = directory / NEURAL_LM_FILE
    known = {f.name for f in dataclasses.fields(PieceCheckpoint)}
    values = read_checkpoint_file(path, known, made_by="neural-lm RECIPE")
    values["recipe"] = piece_recipe(values["recipe"], where=f"{path}: recipe")
    values["pieces"] = WordPieces(*values["pieces"])
    return PieceCheckpoint(**values)
