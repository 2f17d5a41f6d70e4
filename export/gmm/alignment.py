"""Where the phones of many utterances are, frame by frame, on disk."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_asr.arrays import Int64Array
from edge_asr.errors import BundleError, UsageError
from export.gmm.targets import output_targets

ALIGNMENT_FILE = "alignments.npz"
"""Name within a run's directory, beside the model."""


@dataclass(frozen=True)
class Alignment:
    """One utterance in feature frames."""

    labels: Int64Array
    """(phones,) tokens."""
    positions: Int64Array
    """(frames,) index into the labels, -1 in silence."""
    states: Int64Array
    """(frames,) tied state: the number of its distribution."""

    @property
    def phones(self) -> Int64Array:
        """(frames,) token of each frame, 0 in silence."""
        return np.where(self.positions >= 0, np.append(self.labels, 0)[self.positions], 0)

    def targets(self, *, subsampling: int, outputs: int, late_outputs: int) -> Int64Array:
        """(outputs,) tokens for a network, as :func:`export.gmm.targets.output_targets` has them."""
        return output_targets(
            self.positions, self.labels, subsampling=subsampling, outputs=outputs, late_outputs=late_outputs
        )


def save_alignments(path: Path, alignments: Mapping[str, Alignment]) -> None:
    """Write alignments by name of the utterance (``set/file/variant``) in one piece."""
    held = list(alignments.values())
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as out:
        np.savez_compressed(
            out,
            names=np.array(list(alignments), dtype=np.str_),
            labels=_joined([a.labels for a in held]),
            phones=np.array([len(a.labels) for a in held]),
            positions=_joined([a.positions for a in held]),
            states=_joined([a.states for a in held]),
            frames=np.array([len(a.positions) for a in held]),
        )
    os.replace(partial, path)


def load_alignments(path: Path) -> dict[str, Alignment]:
    """Read what :func:`save_alignments` wrote.

    Raises
    ------
    UsageError: there is no such file.
    BundleError: the file is something else.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such alignments; make them with: python -m export gmm RECIPE")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            labels = np.split(held["labels"].astype(np.int64), np.cumsum(held["phones"])[:-1])
            bounds = np.cumsum(held["frames"])[:-1]
            positions, states = (np.split(held[k].astype(np.int64), bounds) for k in ("positions", "states"))
            names = [str(name) for name in held["names"]]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: no alignments: {error!r:.200}; make them again") from error
    return {name: Alignment(*arrays) for name, *arrays in zip(names, labels, positions, states, strict=True)}


def _joined(parts: list[Int64Array]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int32)
