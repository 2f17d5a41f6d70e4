"""``python -m export average RUN=SHARE ... --out DIR``: one network of the weights of several.

Networks that were trained on from each other lie in one valley, and their mean is often better than any of
them. Sources: M. Wortsman et al., "Model soups", ICML 2022; Kaldi's average of the last iterations.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_asr.errors import UsageError
from export.checkpoint import MODEL_FILE, Checkpoint, load_checkpoint, save_checkpoint

TRAINED_FILE = "trained.pt"
"""The network as it was trained, where a run ends with a mean."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export average``."""
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN_DIR[=SHARE]",
        help="run directories, the one whose recipe and history are kept first; SHARE is 1 where not given",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="run directory to write")


def run(args: argparse.Namespace) -> int:
    """Write ``model.pt`` of the mean."""
    paths, shares = [], []
    for value in args.runs:
        name, _, share = value.partition("=")
        try:
            shares.append(float(share or 1))
        except ValueError:
            raise UsageError(f"{value}: expected RUN_DIR=SHARE, got {share!r} for a share") from None
        paths.append(Path(name) / MODEL_FILE)
    mean = average([load_checkpoint(path) for path in paths], shares, [str(path.parent) for path in paths])
    args.out.mkdir(parents=True, exist_ok=True)
    save_checkpoint(args.out / MODEL_FILE, mean)
    print(f"{args.out / MODEL_FILE}: the mean of {len(paths)}")
    return 0


class Ending:
    """The mean that a run ends with: its own weights and those of other runs, which are read at once.

    Parameters
    ----------
    shares: of run directories; the run has the rest of 1.
    start: what the run begins with, where it begins with a network.

    Raises
    ------
    UsageError: one of them holds no network, or one that does not fit to ``start``.
    """

    def __init__(self, shares: Mapping[str, float], start: Checkpoint | None) -> None:
        self._shares = shares
        self._others = [load_checkpoint(Path(name) / MODEL_FILE) for name in shares]
        if start:
            _check_alike([start, *self._others], ["start", *shares])

    def write(self, out: Path) -> None:
        """Put the mean in the place of what was trained, once; that stays beside it.

        Raises
        ------
        UsageError: the networks do not fit together.
        """
        if not self._shares:
            return
        trained = load_checkpoint(out / MODEL_FILE)
        if trained.history and "averaged" in trained.history[-1]:
            return
        save_checkpoint(out / TRAINED_FILE, trained)
        shares = [1 - sum(self._shares.values()), *self._shares.values()]
        mean = average([trained, *self._others], shares, [out.name, *self._shares])
        save_checkpoint(out / MODEL_FILE, mean)


def average(checkpoints: Sequence[Checkpoint], shares: Sequence[float], names: Sequence[str]) -> Checkpoint:
    """The first checkpoint with the weighted mean of all weights; its history ends with what was averaged.

    Raises
    ------
    UsageError: one network only, a share that is not above 0, or networks, features or tokens that differ.
    """
    if len(checkpoints) < 2:
        raise UsageError("a mean needs two networks at least")
    if any(not share > 0 for share in shares):
        raise UsageError(f"shares must be above 0, got {', '.join(f'{share:g}' for share in shares)}")
    first = checkpoints[0]
    _check_alike(checkpoints, names)
    parts = [share / sum(shares) for share in shares]
    weights = {key: parts[0] * value for key, value in first.weights.items()}
    for part, other in zip(parts[1:], checkpoints[1:], strict=True):
        weights = {key: value + part * other.weights[key] for key, value in weights.items()}
    entry: dict[str, Any] = {
        "averaged": {name: round(part, 4) for name, part in zip(names, parts, strict=True)}
    }
    if first.history and "priors" in first.history[-1]:
        entry["priors"] = first.history[-1]["priors"]
    return dataclasses.replace(first, weights=weights, history=[*first.history, entry])


def _check_alike(checkpoints: Sequence[Checkpoint], names: Sequence[str]) -> None:
    ours = _fixed(checkpoints[0])
    for name, other in zip(names, checkpoints, strict=True):
        theirs = _fixed(other)
        differ = [what for what in ours if ours[what] != theirs[what]]
        if differ:
            raise UsageError(f"{name}: its {differ[0]} is not that of {names[0]}")


def _fixed(checkpoint: Checkpoint) -> dict[str, object]:
    """What must be the same; dropout changes no weights."""
    config = {key: value for key, value in checkpoint.config.items() if key != "dropout"}
    return {
        "network": checkpoint.network,
        "config": config,
        "front_end": checkpoint.front_end,
        "tokens": checkpoint.tokens,
    }
