"""Small neural language models with random weights, as arrays of their file and as the slow truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_asr.arrays import Float64Array
from edge_asr.decoder.neural_lm import FORMAT, NeuralLm, pack_weights
from edge_asr.decoder.word_pieces import LETTERS, MARK, WordPieces

PIECES = {
    **dict.fromkeys(MARK + LETTERS, -8.0),
    "_the": -2.0,
    "_t": -4.0,
    "he": -3.0,
    "igh": -4.0,
    "_a": -3.0,
}


def arrays_of(*, layers: int = 2, values: int = 6, cells: int = 5, seed: int = 0) -> dict[str, Any]:
    """What stands in the file."""
    rng = np.random.default_rng(seed)
    size = len(PIECES) + 1
    found: dict[str, Any] = {
        "format": np.array([FORMAT]),
        "pieces": np.frombuffer("\n".join(PIECES).encode(), dtype=np.uint8),
        "log_probs": np.array(list(PIECES.values())),
        "layers": np.array([layers]),
        "bias": rng.normal(size=size).astype(np.float32),
        "narrow_bias": rng.normal(size=values).astype(np.float32),
    }
    shapes = {"table": (size, values), "narrow": (values, cells)}
    for number in range(layers):
        shapes[f"inputs_{number}"] = (4 * cells, cells if number else values)
        shapes[f"recurrent_{number}"] = (4 * cells, cells)
        found[f"bias_{number}"] = rng.normal(size=4 * cells).astype(np.float32)
    for name, shape in shapes.items():
        found[name], found[f"{name}_scale"] = pack_weights(rng.normal(size=shape).astype(np.float32))
    return found


def write(path: Path, arrays: dict[str, Any]) -> Path:
    """The file."""
    with path.open("wb") as out:
        np.savez_compressed(out, **arrays)
    return path


def model_of(tmp_path: Path, **sizes: int) -> NeuralLm:
    """The runtime's model."""
    return NeuralLm.load(write(tmp_path / "neural-lm.npz", arrays_of(**sizes)))


class SlowLm:
    """One piece of one sentence after the other, in double precision, as the equations of an LSTM stand."""

    def __init__(self, arrays: dict[str, Any]) -> None:
        self._arrays = arrays
        self._pieces = WordPieces(list(PIECES), list(PIECES.values()))

    def _weights(self, name: str) -> Float64Array:
        levels: Float64Array = self._arrays[name].astype(np.float64)
        return levels * self._arrays[f"{name}_scale"].astype(np.float64)[:, None]

    def score(self, words: Sequence[str]) -> list[float]:
        """log P of each word and of the end."""
        table, narrow = self._weights("table"), self._weights("narrow")
        layers = int(self._arrays["layers"][0])
        states = [(np.zeros(narrow.shape[1]), np.zeros(narrow.shape[1])) for _ in range(layers)]
        read, found = 0, []
        for cut in [*map(self._pieces.encode, words), (0,)]:
            total = 0.0
            for piece in cut:
                heard = table[read] * math.sqrt(table.shape[1])
                for number, (hidden, cell) in enumerate(states):
                    gates = self._weights(f"inputs_{number}") @ heard
                    gates += self._weights(f"recurrent_{number}") @ hidden + self._arrays[f"bias_{number}"]
                    into, forget, new, out = np.split(gates, 4)
                    cell = cell / (1 + np.exp(-forget)) + np.tanh(new) / (1 + np.exp(-into))
                    heard = np.tanh(cell) / (1 + np.exp(-out))
                    states[number] = (heard, cell)
                logits = table @ (narrow @ heard + self._arrays["narrow_bias"]) + self._arrays["bias"]
                total += float(logits[piece] - np.log(np.exp(logits).sum()))
                read = piece
            found.append(total)
        return found
