"""Checkpoints as files: plain values and tensors by key, written whole and read without running code."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from edge_asr.errors import BundleError, UsageError


def write_checkpoint_file(path: Path, values: Mapping[str, Any]) -> None:
    """Write in one piece: a crash leaves the previous file whole."""
    import torch

    partial = path.with_name(path.name + ".part")
    torch.save(dict(values), partial)
    os.replace(partial, path)


def read_checkpoint_file(path: Path, known: Set[str], *, made_by: str) -> dict[str, Any]:
    """Read what ``write_checkpoint_file`` wrote; tensors come to the CPU.

    Parameters
    ----------
    known: keys that it must have, and no others.
    made_by: command that trains one.

    Raises
    ------
    UsageError: there is no such file.
    BundleError: the file is no checkpoint, or a key is missing or unknown.
    """
    import torch

    if not path.is_file():
        raise UsageError(f"{path}: no such checkpoint; train one with: python -m export {made_by}")
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        raise BundleError(f"{path}: not a checkpoint: {error!r:.200}") from error
    if not isinstance(values, dict):
        raise BundleError(f"{path}: expected a dict, got {type(values).__name__}")
    if set(values) != known:
        wrong = sorted(set(values) ^ known)[0]
        problem = "is missing" if wrong in known else "is unknown"
        raise BundleError(f"{path}: key {wrong!r} {problem}; expected {', '.join(sorted(known))}")
    return values
