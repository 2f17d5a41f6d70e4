"""Recipes of letter-to-phone models: one TOML file is one reproducible model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_asr.config import from_dict
from export.g2p.network import G2pNetworkConfig
from export.recipe_file import read_recipe_file


@dataclass(frozen=True, kw_only=True)
class G2pTrainingConfig:
    """How it is trained."""

    epochs: int
    """Passes over the dictionary."""
    batch_letters: int = 2048
    """Letters per step; the words of a step have the same length."""
    peak_rate: float = 2e-3
    """Highest learning rate of AdamW."""
    warmup_steps: int = 300
    """Steps of linear rise before the cosine fall to zero."""
    weight_decay: float = 0.01
    """Of AdamW."""
    clip_norm: float = 1.0
    """Largest norm of the gradient."""
    average_decay: float = 0.999
    """The model that is kept is an exponential average of the weights with this decay per step."""
    bf16: bool = True
    """Compute in bfloat16 where the processor is quick at it."""


@dataclass(frozen=True, kw_only=True)
class G2pRecipe:
    """Everything that makes one letter-to-phone model."""

    name: str
    """Name of the run."""
    seed: int = 1
    """Of everything random, and of which words are held out."""
    dictionary: str | None = None
    """A file in CMU's format, relative to the working directory; else the packaged dictionary."""
    held_out: float = 0.05
    """Share of the words' families that is measured on and never learned."""
    network: G2pNetworkConfig
    """Model."""
    training: G2pTrainingConfig
    """Optimisation."""


def read_g2p_recipe(path: Path) -> G2pRecipe:
    """Read a recipe.

    Raises
    ------
    UsageError: no such file, not TOML, or a key that is unknown, missing or of the wrong type.
    """
    return read_recipe_file(G2pRecipe, path)


def g2p_recipe(values: dict[str, Any], *, where: str) -> G2pRecipe:
    """A recipe from plain values; errors are BundleErrors, as in a checkpoint."""
    return from_dict(G2pRecipe, values, where=where)


def plain(recipe: G2pRecipe) -> dict[str, Any]:
    """Inverse of ``g2p_recipe``."""
    return dataclasses.asdict(recipe)
