"""Recipes of neural language models: one TOML file is, with the file of its texts, one reproducible model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_asr.config import from_dict
from export.neural_lm.network import PieceNetworkConfig
from export.recipe_file import read_recipe_file


@dataclass(frozen=True, kw_only=True)
class PieceTrainingConfig:
    """How it is trained."""

    epochs: int
    """Passes over the texts, where no clock ends the run."""
    batch_tokens: int = 32768
    """Tokens per step, of whole sentences."""
    longest: int = 64
    """A sentence is learned up to this many tokens."""
    peak_rate: float = 3e-3
    """Highest learning rate of AdamW."""
    warmup_steps: int = 200
    """Steps of linear rise before the cosine fall to zero."""
    weight_decay: float = 0.02
    """Of AdamW."""
    clip_norm: float = 1.0
    """Largest norm of the gradient."""
    average_decay: float = 0.998
    """The model that is kept is an exponential average of the weights with this decay per step."""
    bf16: bool = True
    """Multiply with the table of pieces in bfloat16, on a GPU."""

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_tokens, self.longest, self.warmup_steps) < 1:
            raise ValueError("epochs, batch_tokens, longest and warmup_steps must be at least 1")


@dataclass(frozen=True, kw_only=True)
class PieceRecipe:
    """Everything that makes one model of the texts."""

    name: str
    """Name of the run."""
    seed: int = 1
    """Of everything random."""
    network: PieceNetworkConfig
    """Model."""
    training: PieceTrainingConfig
    """Optimisation."""


def read_piece_recipe(path: Path) -> PieceRecipe:
    """Read a recipe.

    Raises
    ------
    UsageError: no such file, not TOML, or a key that is unknown, missing or of the wrong type.
    """
    return read_recipe_file(PieceRecipe, path)


def piece_recipe(values: dict[str, Any], *, where: str) -> PieceRecipe:
    """A recipe from plain values; errors are BundleErrors, as in a checkpoint."""
    return from_dict(PieceRecipe, values, where=where)


def plain(recipe: PieceRecipe) -> dict[str, Any]:
    """Inverse of ``piece_recipe``."""
    return dataclasses.asdict(recipe)
