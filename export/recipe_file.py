"""Recipes as TOML files: what each kind of model reads its own from."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from edge_asr.config import from_dict
from edge_asr.errors import BundleError, UsageError

T = TypeVar("T")


def read_recipe_file(kind: type[T], path: Path) -> T:
    """A recipe of a kind, a dataclass.

    Raises
    ------
    UsageError: no such file, not TOML, or a key that is unknown, missing or of the wrong type.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such recipe")
    try:
        return from_dict(kind, tomllib.loads(path.read_text(encoding="utf-8")), where=path.name)
    except (tomllib.TOMLDecodeError, BundleError) as error:
        raise UsageError(f"{path}: {error}") from error
