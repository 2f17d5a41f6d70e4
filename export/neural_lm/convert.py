"""``python -m export neural-lm-convert RUN_DIR``: a neural language model as the runtime reads it.

Weights are int8 with a scale for each output; biases stay float32.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_asr.bundle import NEURAL_LM
from edge_asr.decoder.neural_lm import FORMAT, NeuralLm, pack_weights
from export.neural_lm.checkpoint import PieceCheckpoint, load_pieces


def convert(checkpoint: PieceCheckpoint, path: Path) -> NeuralLm:
    """Write the file and read it back; nothing is left half written.

    Raises
    ------
    BundleError: the checkpoint's weights contradict each other.
    """
    weights = {name: weight.float().numpy() for name, weight in checkpoint.weights.items()}
    layers = checkpoint.recipe.network.layers
    arrays: dict[str, NDArray[np.generic]] = {
        "format": np.array([FORMAT], dtype=np.int32),
        "pieces": np.frombuffer("\n".join(checkpoint.pieces.pieces).encode(), dtype=np.uint8),
        "log_probs": np.array(checkpoint.pieces.log_probs),
        "layers": np.array([layers], dtype=np.int32),
        "bias": weights["bias"],
        "narrow_bias": weights["narrow.bias"],
    }
    matrices = {"table": weights["table.weight"], "narrow": weights["narrow.weight"]}
    for number in range(layers):
        matrices[f"inputs_{number}"] = weights[f"cells.weight_ih_l{number}"]
        matrices[f"recurrent_{number}"] = weights[f"cells.weight_hh_l{number}"]
        arrays[f"bias_{number}"] = weights[f"cells.bias_ih_l{number}"] + weights[f"cells.bias_hh_l{number}"]
    for name, matrix in matrices.items():
        arrays[name], arrays[f"{name}_scale"] = pack_weights(matrix)
    partial = path.with_name(f"{path.name}.part")
    with partial.open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **arrays)
    found = NeuralLm.load(partial)
    os.replace(partial, path)
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="directory that holds neural-lm.pt")


def run(args: argparse.Namespace) -> int:
    """Write ``neural-lm.npz`` into the run directory."""
    path = args.run_dir / NEURAL_LM
    model = convert(load_pieces(args.run_dir), path)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {model.nbytes / 1e6:.1f} MB in memory")
    return 0
